"""A server that speaks the part of Kibana's API that setup uses, as Elastic documents it, over real sockets.

Objects are kept by space. An import refuses what is no multipart form, lacks ``kbn-xsrf``, names references that are
neither in the file nor in the space, or (without ``overwrite``) meets what is there.
"""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

Body = dict[str, Any]
Key = tuple[str, str]
Reply = tuple[int, bytes]
_DEFAULT: Final = "default"


class Kibana:
    """Its spaces, and what it asks of who comes."""

    def __init__(self, *, version: str = "8.19.4", authorization: str = "", spaces: tuple[str, ...] = ()) -> None:
        self.version = version
        self.authorization = authorization
        self.spaces: dict[str, dict[Key, Body]] = {name: {} for name in (_DEFAULT, *spaces)}
        self.imports: list[dict[str, list[str]]] = []
        """Query parameters of each import."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Reply:
        parts = urlsplit(target)
        space, path = _split(parts.path)
        if space not in self.spaces:
            return _fault(404, "Not Found", f"space {space} not found")
        if self.authorization and headers.get("authorization") != self.authorization:
            return _fault(401, "Unauthorized", "unable to authenticate")
        if (method, path) == ("GET", "/api/status"):
            return 200, json.dumps({"name": "kibana", "version": {"number": self.version}}).encode()
        if not headers.get("kbn-xsrf"):
            return _fault(400, "Bad Request", "Request must contain a kbn-xsrf header.")
        if (method, path) == ("POST", "/api/saved_objects/_export"):
            return self._export(space, json.loads(body))
        if (method, path) == ("POST", "/api/saved_objects/_import"):
            return self._import(space, parse_qs(parts.query), headers, body)
        return _fault(404, "Not Found", "Not Found")

    def _export(self, space: str, asked: Body) -> Reply:
        prefix = asked["search"].removesuffix("*")
        found = [
            one
            for (kind, _), one in self.spaces[space].items()
            if kind in asked["type"] and any(word.startswith(prefix) for word in _words(one["attributes"]["title"]))
        ]
        return 200, b"\n".join(json.dumps(one).encode() for one in found)

    def _import(self, space: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Reply:
        self.imports.append(query)
        file = _file(headers.get("content-type", ""), body)
        if file is None:
            return _fault(415, "Unsupported Media Type", "Unsupported Media Type")
        objects = [json.loads(line) for line in file.splitlines() if line.strip()]
        there, given = self.spaces[space], {(one["type"], one["id"]) for one in objects}
        errors, results = [], []
        for one in objects:
            lacking = [ref for ref in one["references"] if (ref["type"], ref["id"]) not in given | there.keys()]
            own = {"type": one["type"], "id": one["id"]}
            is_there = (one["type"], one["id"]) in there
            if lacking:
                errors.append({**own, "error": {"type": "missing_references", "references": lacking}})
            elif is_there and query.get("overwrite") != ["true"]:
                errors.append({**own, "error": {"type": "conflict"}})
            else:
                there[one["type"], one["id"]] = one
                results.append({**own, **({"overwrite": True} if is_there else {})})
        said = {"success": not errors, "successCount": len(results), "successResults": results, "errors": errors}
        return 200, json.dumps(said).encode()


def _split(path: str) -> tuple[str, str]:
    if not path.startswith("/s/"):
        return _DEFAULT, path
    space, _, rest = path.removeprefix("/s/").partition("/")
    return space, f"/{rest}"


def _words(title: str) -> list[str]:
    return title.lower().replace("[", " ").replace("]", " ").replace("-", " ").split()


def _file(content_type: str, body: bytes) -> bytes | None:
    """The part ``file`` of a form (RFC 7578)."""
    message = BytesParser().parsebytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body)
    for part in message.walk():
        if part.get_param("name", header="content-disposition") == "file":
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else None
    return None


def _fault(status: int, error: str, message: str) -> Reply:
    return status, json.dumps({"statusCode": status, "error": error, "message": message}).encode()


def _handler(kibana: Kibana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, said = kibana.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving(kibana: Kibana, context: ssl.SSLContext | None = None) -> Iterator[Kibana]:
    """On a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(kibana))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    kibana.port = server.server_address[1]
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kibana
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
