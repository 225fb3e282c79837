"""An API server, or something in between, that answers nonsense: every answer ends in an error of ours, in bounds."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agents.cluster.api.event import WatchEvent
from agents.cluster.api.reader import KubernetesApi
from agents.cluster.record.kind import Kind, kind_of
from agents.errors import AgentError, ExpiredError, MissingError, ReadError, RightsError

Answer = tuple[int, list[bytes]]
_LENGTH = 100


class _Server(ThreadingHTTPServer):
    """Gives its answers in turn, the last one for ever; a declared length that is never reached cuts it off."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.asked: list[str] = []
        self.is_cut = False


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        server.asked.append(self.path)
        status, chunks = server.answers[0] if len(server.answers) == 1 else server.answers.pop(0)
        self.send_response(status)
        size = sum(len(chunk) for chunk in chunks)
        self.send_header("Content-Length", str(size + (_LENGTH if server.is_cut else 0)))
        self.end_headers()
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
        except OSError:
            # The reader has had enough.
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def api(server: _Server, tmp_path: Path) -> KubernetesApi:
    path = tmp_path / "kubeconfig"
    document = {
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
        "users": [{"name": "x", "user": {"token": "x"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    path.write_text(json.dumps(document))
    made = KubernetesApi(str(path))
    made.start()
    return made


@pytest.fixture
def pods() -> Kind:
    kind = kind_of("v1", "Pod")
    assert kind is not None
    return kind


def _watched(api: KubernetesApi, kind: Kind) -> list[WatchEvent]:
    return list(api.watch(kind, "1", lambda: None))


def _listed(api: KubernetesApi, kind: Kind) -> object:
    return api.list_objects(kind)


_NONSENSE = [
    b"",
    b"<html>proxy</html>",
    b"[]",
    b"null",
    b'{"items": {"a": "b"}}',
    b'{"items": "pods"}',
    b'{"items": [1]}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("body", _NONSENSE, ids=lambda body: repr(body[:20]))
def test_a_listing_that_is_none_is_an_error(server: _Server, api: KubernetesApi, pods: Kind, body: bytes) -> None:
    server.answers = [(200, [body])]
    with pytest.raises(ReadError, match="list pods"):
        api.list_objects(pods)


@pytest.mark.parametrize("line", [b"<html>", b"[" * 100_000, b"\xff"], ids=["markup", "deep", "no text"])
def test_a_watch_that_is_none_is_an_error(server: _Server, api: KubernetesApi, pods: Kind, line: bytes) -> None:
    server.answers = [(200, [line, b"\n"])]
    with pytest.raises(ReadError, match="watch pods"):
        _watched(api, pods)


def test_a_line_without_end_is_given_up(server: _Server, api: KubernetesApi, pods: Kind) -> None:
    server.answers = [(200, [b"x" * (1 << 20)] * 64)]
    with pytest.raises(ReadError, match="a line of more than"):
        _watched(api, pods)


@pytest.mark.parametrize("act", [_watched, _listed])
def test_an_answer_that_is_cut_off_is_an_error(
    server: _Server, api: KubernetesApi, pods: Kind, act: Callable[[KubernetesApi, Kind], object]
) -> None:
    server.is_cut = True
    server.answers = [(200, [b'{"type": "ADDED", "object": {}, "items": []}\n'])]
    with pytest.raises(ReadError):
        act(api, pods)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, RightsError),
        (403, RightsError),
        (404, MissingError),
        (410, ExpiredError),
        (429, ReadError),
        (503, ReadError),
    ],
)
def test_a_refusal_is_told_by_its_status(
    server: _Server, api: KubernetesApi, pods: Kind, status: int, kind: type[AgentError]
) -> None:
    server.answers = [(status, [b"<html>not what Kubernetes says</html>"])]
    for act in (_watched, _listed):
        with pytest.raises(kind, match="pods"):
            act(api, pods)


def test_pages_are_put_together_and_named(server: _Server, api: KubernetesApi, pods: Kind) -> None:
    first = {"metadata": {"continue": "a b&c", "resourceVersion": "5"}, "items": [{"metadata": {"name": "a"}}]}
    last = {"metadata": {"resourceVersion": "5"}, "items": None}
    server.answers = [(200, [json.dumps(first).encode()]), (200, [json.dumps(last).encode()])]
    found, version = api.list_objects(pods)
    assert version == "5"
    assert found == [{"metadata": {"name": "a"}, "kind": "Pod", "apiVersion": "v1"}]
    assert server.asked == ["/api/v1/pods?limit=500", "/api/v1/pods?limit=500&continue=a%20b%26c"]


def test_pages_that_never_end_are_given_up(server: _Server, api: KubernetesApi, pods: Kind) -> None:
    server.answers = [(200, [b'{"metadata": {"continue": "again", "resourceVersion": "5"}, "items": []}'])]
    with pytest.raises(ReadError, match="list pods"):
        api.list_objects(pods)


def test_a_listing_without_a_version_is_an_error(server: _Server, api: KubernetesApi, pods: Kind) -> None:
    """Without one nothing can be watched; taken as empty it would delete every object from the topic."""
    server.answers = [(200, [b"{}"])]
    with pytest.raises(ReadError, match="list pods"):
        api.list_objects(pods)


def test_a_server_that_is_not_there_is_named(server: _Server, api: KubernetesApi, pods: Kind) -> None:
    port = server.server_address[1]
    server.server_close()
    with pytest.raises(ReadError, match=f"127.0.0.1:{port} does not answer"):
        api.list_objects(pods)
