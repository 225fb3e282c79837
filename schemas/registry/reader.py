"""Asks a schema registry. Without a URL there is none, and nothing is asked.

Built on http.client: no proxy is taken from the environment and no redirection followed, so that credentials go to
the named servers only.
"""

import http.client
import ssl
import time
from base64 import b64encode
from collections import OrderedDict
from typing import Final

import structlog

from runtime.reader import certificates
from runtime.settings import SchemaRegistrySettings
from schemas.errors import DecodeError, RegistryAwayError, RegistryError, UnknownSchemaError
from schemas.registry.message import MEDIA_TYPE, Address, Answer, Question, parse_addresses, parse_schema, schema_by_id
from schemas.schema import Schema
from schemas.single_object import Record, SingleObjectCodec

_REQUEST_SECONDS: Final = 5.0
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 5.0
_MAXIMUM_ANSWER_BYTES: Final = 4 << 20
_REMEMBERED_FAULTS: Final = 1_000
_FAULT_SECONDS: Final = 60.0
"""How long an id without a usable schema is not asked for again: a copy of the registry may be behind its leader."""
_log = structlog.get_logger()


class RegistryReader:
    """One registry, by one or more servers. Connects only when asked; blocks then."""

    def __init__(self, settings: SchemaRegistrySettings) -> None:
        """Raise SettingsError when the URL is none."""
        self._settings = settings
        self._addresses = parse_addresses(settings.url)
        self._context: ssl.SSLContext | None = None
        self._faults: OrderedDict[int, tuple[float, str]] = OrderedDict()

    @property
    def is_set(self) -> bool:
        """Whether there is a registry."""
        return bool(self._addresses)

    def decode(self, codec: SingleObjectCodec, data: bytes, patience_seconds: float = 0.0) -> Record:
        """Decode, asking for the schema when its id is new.

        Raises DecodeError when the record is of no use, RegistryError when the registry refuses or does not answer.
        """
        try:
            return codec.decode(data)
        except UnknownSchemaError as unknown:
            codec.learn(unknown.registry_id, self.schema(unknown.registry_id, patience_seconds))
        return codec.decode(data)

    def schema(self, registry_id: int, patience_seconds: float = 0.0) -> Schema:
        """The schema of an id. Raises DecodeError when there is none, RegistryError when the registry does not say."""
        if not self.is_set:
            raise DecodeError(
                f"framed for a schema registry (id {registry_id}), and CONNTRAIL_SCHEMA_REGISTRY__URL is not set"
            )
        known = self._faults.get(registry_id)
        if known is not None and time.monotonic() - known[0] < _FAULT_SECONDS:
            raise DecodeError(known[1])
        answer = self.ask(schema_by_id(registry_id), patience_seconds)
        try:
            return parse_schema(answer, registry_id)
        except DecodeError as fault:
            self._faults[registry_id] = (time.monotonic(), str(fault))
            if len(self._faults) > _REMEMBERED_FAULTS:
                self._faults.popitem(last=False)
            raise

    def ask(self, question: Question, patience_seconds: float = 0.0) -> Answer:
        """One server after the other, again and again for so long. Raises RegistryAwayError when none answers."""
        deadline = time.monotonic() + patience_seconds
        wait = _FIRST_WAIT_SECONDS
        while True:
            faults = []
            for address in self._addresses:
                outcome = self._ask_one(address, question)
                if isinstance(outcome, Answer):
                    return outcome
                faults.append(f"{address.name}: {outcome}")
            reason = "; ".join(faults)
            if time.monotonic() + wait > deadline:
                raise RegistryAwayError(
                    f"the schema registry does not answer ({reason}): check CONNTRAIL_SCHEMA_REGISTRY__URL"
                )
            _log.warning("the schema registry does not answer, asking again", reason=reason, seconds=wait)
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    def _ask_one(self, address: Address, question: Question) -> Answer | str:
        """An answer that is worth something, or why there is none."""
        connection = self._connection(address)
        try:
            connection.request(question.method, address.path + question.path, question.body, self._headers())
            response = connection.getresponse()
            answer = Answer(response.status, response.read(_MAXIMUM_ANSWER_BYTES))
        except ssl.SSLCertVerificationError as error:
            raise RegistryError(
                f"the schema registry at {address.name} is not trusted ({error.verify_message}): "
                "check CONNTRAIL_SCHEMA_REGISTRY__CA_CERTS"
            ) from error
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            return _words(error)
        finally:
            connection.close()
        return f"status {answer.status}" if answer.is_passing else answer

    def _connection(self, address: Address) -> http.client.HTTPConnection:
        if not address.is_encrypted:
            return http.client.HTTPConnection(address.host, address.port, timeout=_REQUEST_SECONDS)
        if self._context is None:
            self._context = certificates("CONNTRAIL_SCHEMA_REGISTRY__CA_CERTS", self._settings.ca_certs)
        return http.client.HTTPSConnection(address.host, address.port, timeout=_REQUEST_SECONDS, context=self._context)

    def _headers(self) -> dict[str, str]:
        headers = {"accept": f"{MEDIA_TYPE}, application/json", "content-type": MEDIA_TYPE}
        if self._settings.username:
            credentials = f"{self._settings.username}:{self._settings.password}".encode()
            headers["authorization"] = f"Basic {b64encode(credentials).decode()}"
        return headers


def _words(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", "") or error or type(error).__name__).split())
