"""A schema registry over real HTTP, for none is to be had here: subjects with versions, ids that are the same for the
same schema in every subject, and versions that must read each other, as Confluent's API reference says.
"""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import fastavro
from fastavro.utils import generate_one

_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
Reply = tuple[int, dict[str, Any]]


class Registry:
    """Keeps what is registered while its server comes and goes."""

    def __init__(self, credentials: str = "", context: ssl.SSLContext | None = None) -> None:
        self.subjects: dict[str, list[int]] = {}
        self.schemas: dict[int, str] = {}
        self.requests: list[str] = []
        self.is_read_only = False
        self.refuse_with = 0
        """A status that everything is answered with."""
        self._authorization = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else ""
        self._context = context
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serve, on the same port as before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        if self._context is not None:
            self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Begin an outage."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def register(self, subject: str, text: str) -> int:
        """What a producer of another release did. Only compatible versions are taken."""
        status, body = self.answer("POST", f"/subjects/{subject}/versions", {"schema": text})
        assert status == 200, body
        return int(body["id"])

    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> Reply:
        """The three questions that we ask."""
        if self.refuse_with:
            return self.refuse_with, {"error_code": self.refuse_with, "message": "not now"}
        match (method, path.strip("/").split("/")):
            case ("GET", ["schemas", "ids", number]):
                return self._schema(int(number))
            case ("POST", ["subjects", subject]) if body:
                return self._lookup(subject, body["schema"])
            case ("POST", ["subjects", subject, "versions"]) if body:
                return self._add(subject, body["schema"])
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def is_allowed(self, authorization: str | None) -> bool:
        return not self._authorization or authorization == self._authorization

    def _schema(self, number: int) -> Reply:
        if number not in self.schemas:
            return 404, {"error_code": 40403, "message": f"Schema {number} not found"}
        return 200, {"schema": self.schemas[number]}

    def _lookup(self, subject: str, text: str) -> Reply:
        if subject not in self.subjects:
            return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
        for version, number in enumerate(self.subjects[subject], 1):
            if json.loads(self.schemas[number]) == json.loads(text):
                return 200, {"subject": subject, "id": number, "version": version, "schema": self.schemas[number]}
        return 404, {"error_code": 40403, "message": "Schema not found"}

    def _add(self, subject: str, text: str) -> Reply:
        if self.is_read_only:
            return 403, {"error_code": 40301, "message": "Subject is in read-only mode"}
        try:
            schema = fastavro.parse_schema(json.loads(text))
        except (ValueError, fastavro.schema.SchemaParseException) as error:
            return 422, {"error_code": 42201, "message": str(error)}
        numbers = self.subjects.get(subject, [])
        if numbers and not _can_read(json.loads(self.schemas[numbers[-1]]), schema):
            return 409, {"error_code": 409, "message": f"Schema being registered is incompatible for '{subject}'"}
        known = [number for number, other in self.schemas.items() if json.loads(other) == json.loads(text)]
        number = known[0] if known else len(self.schemas) + 1
        self.schemas[number] = text
        self.subjects[subject] = [*numbers, number] if number not in numbers else numbers
        return 200, {"id": number}


def _can_read(writer: Any, reader: Any) -> bool:
    parsed = fastavro.parse_schema(writer)
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, parsed, generate_one(parsed))
    try:
        fastavro.schemaless_reader(BytesIO(buffer.getvalue()), parsed, reader)
    except (fastavro.read.SchemaResolutionError, ValueError, KeyError):
        return False
    return True


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(None)

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _reply(self, body: dict[str, Any] | None) -> None:
            registry.requests.append(f"{self.command} {self.path}")
            allowed = registry.is_allowed(self.headers.get("authorization"))
            denied: Reply = (401, {"error_code": 401, "message": "Unauthorized"})
            status, document = registry.answer(self.command, self.path, body) if allowed else denied
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", _MEDIA_TYPE)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - http.server's name
            return

    return Handler


@contextmanager
def running_registry(credentials: str = "", context: ssl.SSLContext | None = None) -> Iterator[Registry]:
    """A registry on a free port."""
    registry = Registry(credentials, context)
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()
