"""The audit webhook backend over a real socket: what it takes, what it refuses, and that nothing breaks it."""

import http.client
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from agents.cluster.audit.server import AuditServer, Submission
from agents.cluster.metrics import ClusterMetrics
from agents.errors import AgentError
from runtime.settings import AuditSettings, Bytes
from tests.support.certificates import Certificates, make_certificates
from tests.unit.agents.cluster.audit.events import AUDIT, listed

_TOKEN = "secret"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class _Taker:
    """Stands where the session stands: takes what comes and says what Kafka said."""

    def __init__(self, server: AuditServer) -> None:
        self._server = server
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self.is_kafka_there = True
        self.taken: list[Submission] = []

    def start(self) -> None:
        self._server.is_open = True
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _take(self) -> None:
        while not self._ending.wait(0.005):
            for submission in self._server.take():
                self.taken.append(submission)
                submission.settle(is_kept=self.is_kafka_there)


@contextmanager
def _serving(server_settings: AuditSettings) -> Iterator[tuple[int, _Taker]]:
    server = AuditServer(server_settings, ClusterMetrics(CollectorRegistry()))
    port, taker = server.start(), _Taker(server)
    taker.start()
    try:
        yield port, taker
    finally:
        taker.stop()
        server.stop()


@pytest.fixture(scope="module")
def plain() -> Iterator[tuple[int, _Taker]]:
    with _serving(AuditSettings(address="127.0.0.1:0", token=_TOKEN, maximum_body=Bytes(100_000))) as found:
        yield found


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def _post(port: int, body: bytes, token: str = _TOKEN, context: ssl.SSLContext | None = None) -> tuple[int, str]:
    """Status, and the header that asks to come again."""
    url = f"{'https' if context else 'http'}://127.0.0.1:{port}/audit"
    request = urllib.request.Request(url, body, {"Authorization": f"Bearer {token}"})
    opener = _OPENER
    if context is not None:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Retry-After", "")


def test_success_is_said_only_when_kafka_has_it(plain: tuple[int, _Taker]) -> None:
    port, taker = plain
    taker.taken.clear()
    assert _post(port, listed(AUDIT, AUDIT)) == (200, "")
    assert [len(one.events) for one in taker.taken] == [2]
    taker.is_kafka_there = False
    assert _post(port, listed(AUDIT)) == (503, "1")
    taker.is_kafka_there = True
    assert _post(port, listed(AUDIT)) == (200, "")


def test_who_has_no_token_and_what_is_too_large_or_broken_is_refused(plain: tuple[int, _Taker]) -> None:
    port, _ = plain
    assert _post(port, listed(AUDIT), token="other")[0] == 401
    assert _post(port, b"x" * 100_001)[0] == 413
    assert _post(port, b"{")[0] == 400


def test_names_of_headers_are_taken_in_any_case(plain: tuple[int, _Taker]) -> None:
    port, _ = plain
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/audit", listed(AUDIT), {"authorization": f"Bearer {_TOKEN}"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_replica_that_does_not_publish_sends_requests_elsewhere() -> None:
    server = AuditServer(AuditSettings(address="127.0.0.1:0"), ClusterMetrics(CollectorRegistry()))
    port = server.start()
    try:
        assert _post(port, listed(AUDIT)) == (503, "1")
    finally:
        server.stop()


def test_it_is_encrypted(certificates: Certificates) -> None:
    files = {"certificate": str(certificates.certificate), "key": str(certificates.key)}
    with _serving(AuditSettings(address="127.0.0.1:0", token=_TOKEN, **files)) as (port, _):
        context = ssl.create_default_context(cafile=str(certificates.authority))
        assert _post(port, listed(AUDIT), context=context) == (200, "")
        with socket.create_connection(("127.0.0.1", port)):
            # One that never shakes hands keeps nobody waiting.
            assert _post(port, listed(AUDIT), context=context) == (200, "")
        with pytest.raises((OSError, http.client.HTTPException)):
            _post(port, listed(AUDIT))


@pytest.mark.parametrize("begun", [b"POST / HTT", b"POST / HTTP/1.1\r\nX-Slow: ", b"POST / HTTP/1.1\r\n"])
def test_a_head_that_comes_byte_by_byte_keeps_no_connection(begun: bytes) -> None:
    server = AuditServer(AuditSettings(address="127.0.0.1:0"), ClusterMetrics(CollectorRegistry()), head_seconds=0.3)
    port = server.start()
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(begun)
            assert _is_ended_while_dripped(connection)
    finally:
        server.stop()


def _is_ended_while_dripped(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        try:
            connection.sendall(b"a")
            if not connection.recv(4096):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def test_a_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    files = {"certificate": str(tmp_path / "x.pem"), "key": str(tmp_path / "x.pem")}
    server = AuditServer(AuditSettings(address="127.0.0.1:0", **files), ClusterMetrics(CollectorRegistry()))
    with pytest.raises(AgentError, match="CONNTRAIL_AUDIT"):
        server.start()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=500),
        st.builds(lambda cut: listed(AUDIT)[:cut], st.integers(0, 900)),
        st.builds(
            lambda value: listed({**AUDIT, "user": value}),
            st.recursive(
                st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
            ),
        ),
    )
)
def test_no_body_breaks_it(plain: tuple[int, _Taker], body: bytes) -> None:
    port, _ = plain
    assert _post(port, body)[0] in (200, 400)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_break_it(plain: tuple[int, _Taker], data: bytes) -> None:
    port, _ = plain
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(20)
        try:
            while connection.recv(4096):
                continue
        except ConnectionError:
            pass
    assert (
        _post(port, json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": []}).encode())[0] == 200
    )
