"""Asks an Elasticsearch whether it serves."""

import http.client
import json
import urllib.request

_PATIENCE_SECONDS = 2.0


class ElasticsearchProbe:
    """Asks one node."""

    def __init__(self, host: str) -> None:
        self._url = f"{host}/_cluster/health?timeout=1s&wait_for_status=yellow"
        # The system's proxy is not for loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answers(self) -> bool:
        """Whether it has elected itself and can index now."""
        try:
            with self._opener.open(self._url, timeout=_PATIENCE_SECONDS) as answer:
                return json.loads(answer.read())["status"] in ("green", "yellow")
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return False
