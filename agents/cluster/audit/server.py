"""Serves the audit webhook backend: takes EventLists that an API server posts, and answers when Kafka has them.

Source: Kubernetes documentation, "Auditing", webhook backend. An API server repeats a request that is not answered
with success, some minutes long, so 503 loses nothing as long as somebody can take it before. Connections are bounded in
number, bodies in size, and what is sent in time, however slowly it drips; names of events are decided elsewhere
(``take``).
"""

import io
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import structlog

from agents.cluster.audit.parse import Event, ParseError, parse_list
from agents.cluster.audit.request import Refusal, body_size
from agents.cluster.metrics import ClusterMetrics
from agents.errors import AgentError
from runtime.settings import AuditSettings

_MAXIMUM_CONNECTIONS: Final = 64
_MAXIMUM_BODIES: Final = 4
"""Held in memory at once."""
_QUEUE: Final = 8
_READ_SECONDS: Final = 10.0
_HEAD_SECONDS: Final = 20.0
"""The wait before it counts too: twice as long as one read may take."""
_BODY_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 10.0
_CHUNK_BYTES: Final = 1 << 16
_RETRY_SECONDS: Final = "1"
_log = structlog.get_logger()


@dataclass(slots=True)
class Submission:
    """What one request brought; ``settle`` says what became of it."""

    events: list[Event]
    faults: list[str]
    size_bytes: int
    is_kept: bool = False
    _settled: threading.Event = field(default_factory=threading.Event)

    def settle(self, *, is_kept: bool) -> None:
        """Kafka has all of it, or not."""
        self.is_kept = is_kept
        self._settled.set()

    def wait(self, seconds: float) -> bool:
        """Whether Kafka has it, after some seconds at most."""
        return self._settled.wait(seconds) and self.is_kept


class AuditServer:
    """One address. Inert until ``start``."""

    def __init__(self, settings: AuditSettings, metrics: ClusterMetrics, head_seconds: float = _HEAD_SECONDS) -> None:
        self._settings = settings
        self._metrics = metrics
        self._head_seconds = head_seconds
        self._queue: queue.Queue[Submission] = queue.Queue(_QUEUE)
        self._bodies = threading.BoundedSemaphore(_MAXIMUM_BODIES)
        self._server: ThreadingHTTPServer | None = None
        self.is_open = False
        """Somebody takes what comes; else all is refused for the moment."""

    def start(self) -> int:
        """Listen; return the port. Raises AgentError when address or certificate are of no use."""
        host, _, port = self._settings.address.rpartition(":")
        try:
            context = self._context()
            self._server = _Server((host.strip("[]"), int(port)), self._handler(), context)
        except (OSError, ValueError) as error:
            raise AgentError(f"audit webhook at {self._settings.address}: {error}: check CONNTRAIL_AUDIT__…") from error
        threading.Thread(target=self._server.serve_forever, name="audit", daemon=True).start()
        chosen = int(self._server.server_address[1])
        _log.info("taking audit events", address=f"{host}:{chosen}", is_encrypted=context is not None)
        return chosen

    def stop(self) -> None:
        """Stop listening; who waits for an answer is refused."""
        self.is_open = False
        for submission in self.take():
            submission.settle(is_kept=False)
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def take(self) -> list[Submission]:
        """What has come, without waiting."""
        found: list[Submission] = []
        try:
            while len(found) < _QUEUE:
                found.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return found

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, str]:
        """HTTP status and words for a request."""
        size = body_size(handler.headers, self._settings.token, self._settings.maximum_body)
        if isinstance(size, Refusal):
            return size.status, size.words
        if not self.is_open:
            return 503, "this replica does not publish at present"
        if not self._bodies.acquire(blocking=False):
            return 503, "busy"
        try:
            return self._submit(_body(handler, size))
        finally:
            self._bodies.release()

    def _submit(self, body: bytes) -> tuple[int, str]:
        try:
            parsed = parse_list(body)
        except ParseError as error:
            submission = Submission([], [str(error)], len(body))
            self._put(submission)
            return 400, str(error)
        submission = Submission(parsed.events, parsed.faults, len(body))
        if not self._put(submission) or not submission.wait(_ANSWER_SECONDS):
            return 503, "Kafka does not have it yet"
        return 200, "ok"

    def _put(self, submission: Submission) -> bool:
        try:
            self._queue.put_nowait(submission)
        except queue.Full:
            return False
        return True

    def _context(self) -> ssl.SSLContext | None:
        if not self._settings.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._settings.certificate, self._settings.key)
        return context

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer, requests, head_seconds = self.answer, self._metrics.audit_requests, self._head_seconds

        class Handler(BaseHTTPRequestHandler):
            timeout = _READ_SECONDS
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.rfile.close()
                self._incoming = _Incoming(self.connection)
                self.rfile = io.BufferedReader(self._incoming)

            def handle_one_request(self) -> None:
                self._incoming.allow(head_seconds)
                super().handle_one_request()

            def do_POST(self) -> None:
                self._incoming.allow(_BODY_SECONDS)
                try:
                    status, words = answer(self)
                except OSError:
                    status, words = 408, "the body did not come"
                requests.labels(str(status)).inc()
                # After a refusal the body may not have been read, and another replica may be the one that publishes.
                self.close_connection = status != 200  # noqa: PLR2004 - HTTP's word
                body = f"{words}\n".encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                if status == 503:  # noqa: PLR2004 - HTTP's word
                    self.send_header("Retry-After", _RETRY_SECONDS)
                if self.close_connection:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                _log.debug("audit request", line=format % args)

        return Handler


class _Incoming(io.RawIOBase):
    """What a client sends, until a deadline: each read has its own limit in time, and all of them together."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = 0.0

    def allow(self, seconds: float) -> None:
        """From now on."""
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises TimeoutError."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request did not come")
        self._connection.settimeout(min(left, _READ_SECONDS))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(_READ_SECONDS)


class _Server(ThreadingHTTPServer):
    """Shakes hands in the connection's own thread, and takes so many connections at once."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None
    ) -> None:
        self._context = context
        self._room = threading.BoundedSemaphore(_MAXIMUM_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            request.settimeout(_READ_SECONDS)
            if self._context is not None:
                request = self._context.wrap_socket(request, server_side=True)
            super().process_request_thread(request, client_address)
        except OSError as error:
            _log.debug("audit connection ended", reason=str(error))
            self.shutdown_request(request)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """Clients go away at any time."""
        _log.debug("audit connection ended", exc_info=True)


def _body(handler: BaseHTTPRequestHandler, size: int) -> bytes:
    """Raises OSError when it does not come, or not in time."""
    chunks, left = [], size
    while left:
        chunk = handler.rfile.read1(min(left, _CHUNK_BYTES))
        if not chunk:
            raise OSError("the body did not come")
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
