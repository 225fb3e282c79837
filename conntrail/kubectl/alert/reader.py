"""Asks the API of alerts that a port-forward leads to."""

import http.client
import json
import os
import ssl
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from conntrail.kubectl.alert.listing import event_data
from conntrail.kubectl.errors import KubectlError

VARIABLE: Final = "CONNTRAIL_KUBECTL_API"
"""By it the plug-in tells its own command where the API is."""
_TOKEN: Final = "CONNTRAIL_API__TOKEN"  # noqa: S105 - the name of a setting
_PATIENCE_SECONDS: Final = 30.0
_MAXIMUM_BYTES: Final = 64 << 20
_LINE_BYTES: Final = 1 << 20
_UNAUTHORIZED: Final = 401
Pairs = Sequence[tuple[str, str]]


def list_alerts(pairs: Pairs) -> dict[str, Any]:
    """``alerts`` and ``has_more``. Raises KubectlError."""
    found = json.loads(_ask("/api/v1/alerts", pairs).read(_MAXIMUM_BYTES))
    return found if isinstance(found, dict) else {}


def follow_alerts(pairs: Pairs) -> Iterator[dict[str, Any]]:
    """As they come, until the connection ends. Raises KubectlError."""
    answer = _ask("/api/v1/alerts/stream", pairs)
    lines = iter(lambda: answer.readline(_LINE_BYTES), b"")
    for data in event_data(lines):
        found = json.loads(data)
        if isinstance(found, dict) and "id" in found:
            yield found


def _ask(path: str, pairs: Pairs) -> http.client.HTTPResponse:
    parts = urlsplit(os.environ.get(VARIABLE, ""))
    headers = {"Authorization": f"Bearer {os.environ[_TOKEN]}"} if _TOKEN in os.environ else {}
    connection = _connection(parts.scheme, parts.hostname or "", parts.port or 0)
    try:
        connection.request("GET", f"{path}?{urlencode(pairs)}", headers=headers)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise KubectlError(f"the API of alerts does not answer: {error}") from error
    if answer.status == _UNAUTHORIZED:
        raise KubectlError(f"the API of alerts asks for a token: set {_TOKEN} to it")
    if answer.status != http.client.OK:
        told = " ".join(answer.read(_LINE_BYTES).decode(errors="replace").split())[:300]
        raise KubectlError(f"the API of alerts answers {answer.status}: {told}")
    return answer


def _connection(scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)
    # The certificate names the Service, not this machine; who forwards is the API server, whom kubectl has proven.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=_PATIENCE_SECONDS, context=context)
