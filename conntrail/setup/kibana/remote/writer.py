"""Imports the objects into a Kibana.

Built on http.client: no proxy is taken from the environment and no redirection followed, so that credentials go to the
named server only.
"""

import http.client
import ssl
from collections.abc import Sequence
from typing import Final

from conntrail.errors import CommandError
from conntrail.setup.change import Change
from conntrail.setup.kibana.remote.message import (
    Answer,
    Question,
    check_imported,
    check_status,
    check_version,
    existing_question,
    headers_of,
    import_question,
    known_ids,
    parse_address,
    planned,
    status_question,
)
from conntrail.setup.kibana.saved_object import SavedObject, to_ndjson
from runtime.reader import certificates
from runtime.settings import KibanaSettings

_PATIENCE_SECONDS: Final = 60.0
_MAXIMUM_ANSWER_BYTES: Final = 64 << 20


def import_objects(settings: KibanaSettings, objects: Sequence[SavedObject], *, is_dry: bool) -> list[Change]:
    """What was, or would be, created or overwritten. Raises CommandError when Kibana does not answer or refuses."""
    client = _Client(settings)
    check_version(client.ask(status_question()), settings.url)
    changes = planned(objects, known_ids(client.ask(existing_question())), settings.space)
    if not is_dry:
        answer = client.ask(import_question(to_ndjson(objects, settings.space)))
        check_imported(answer, len(objects), settings.url)
    return changes


class _Client:
    """One Kibana; connects for each question."""

    def __init__(self, settings: KibanaSettings) -> None:
        self._url = settings.url
        self._address = parse_address(settings)
        self._headers = headers_of(settings)
        self._trust = certificates("CONNTRAIL_KIBANA__CA_CERTS", settings.ca_certs) if self._is_encrypted else None

    @property
    def _is_encrypted(self) -> bool:
        return self._address.is_encrypted

    def ask(self, question: Question) -> Answer:
        """Raise CommandError when there is no answer, or none that helps."""
        connection = self._connection()
        path = self._address.path + question.path
        try:
            connection.request(question.method, path, question.body or None, {**self._headers, **question.headers})
            response = connection.getresponse()
            body = response.read(_MAXIMUM_ANSWER_BYTES + 1)
        except ssl.SSLCertVerificationError as error:
            advice = "check CONNTRAIL_KIBANA__CA_CERTS"
            raise CommandError(f"Kibana at {self._url} is not trusted ({error.verify_message}): {advice}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise CommandError(
                f"Kibana at {self._url} does not answer ({reason}): check the URL and its port"
            ) from error
        finally:
            connection.close()
        if len(body) > _MAXIMUM_ANSWER_BYTES:
            raise CommandError(f"Kibana at {self._url} answers with more than {_MAXIMUM_ANSWER_BYTES >> 20} MiB")
        answer = Answer(response.status, response.headers.get("location", ""), body)
        check_status(answer, self._url)
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address.host, self._address.port
        if self._trust is None:
            return http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=_PATIENCE_SECONDS, context=self._trust)
