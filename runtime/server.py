"""Serves /metrics, /healthz and /readyz of one process over HTTP.

Health says that the process can still do its work; readiness that it is doing it. Both are given as
functions that return what is wrong, in words, or nothing.
"""

import socket
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from runtime.bearer import is_shown
from runtime.settings import HttpSettings
from runtime.writer import write_address

Check = Callable[[], Iterable[str]]
"""Returns what is wrong, one item a fault; empty when all is well."""

_log = structlog.get_logger()


class _Server(ThreadingHTTPServer):
    """Of either family; at ``::`` of both, since probes come by whichever the node has."""

    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class StatusServer:
    """The HTTP side of a process. Inert until ``start``."""

    def __init__(self, settings: HttpSettings, registry: CollectorRegistry, healthy: Check, ready: Check) -> None:
        self._settings = settings
        self._registry = registry
        self._checks = {"/healthz": healthy, "/readyz": ready}
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> int:
        """Listen and serve in the background; return the port. Raises OSError when the address is taken."""
        host, _, port = self._settings.address.rpartition(":")
        self._server = _Server(host.strip("[]"), int(port), self._handler())
        threading.Thread(target=self._server.serve_forever, name="status", daemon=True).start()
        chosen = self._server.server_address[1]
        _log.info("serving metrics and health", address=f"{host}:{chosen}")
        if self._settings.address_file:
            write_address(self._settings.address_file, f"{host}:{chosen}")
        return chosen

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _respond(self, path: str, authorization: str) -> tuple[int, str, bytes]:
        if path == "/metrics":
            token = self._settings.token
            if token and not is_shown(token, authorization):
                return 401, "text/plain", b"a bearer token is needed\n"
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        check = self._checks.get(path)
        if check is None:
            return 404, "text/plain", b"see /metrics, /healthz, /readyz\n"
        faults = list(check())
        body = "".join(f"{fault}\n" for fault in faults) or "ok\n"
        return 503 if faults else 200, "text/plain; charset=utf-8", body.encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        respond = self._respond

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                status, content_type, body = respond(self.path.partition("?")[0], self.headers.get("Authorization", ""))
                self.send_response(status)
                if status == 401:  # noqa: PLR2004 - HTTP's word
                    self.send_header("WWW-Authenticate", "Bearer")
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                _log.debug("http request", line=format % args)

        return Handler
