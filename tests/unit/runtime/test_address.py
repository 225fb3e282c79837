"""Servers of ours listen beyond loopback only where a token is asked for; what only tells of the process may."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from runtime.bearer import is_shown
from runtime.server import StatusServer
from runtime.setting.address import is_loopback
from runtime.settings import HttpSettings, SettingsError, load_settings


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1:80", True), ("[::1]:80", True), ("localhost:80", True), ("0.0.0.0:80", False), ("[::]:80", False)],
)
def test_loopback_is_known(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "[::]:8080", "10.1.2.3:8080", "worker.example:8080"])
@pytest.mark.parametrize("group", ["API", "AUDIT"])
def test_a_server_that_tells_or_takes_data_does_not_start_beyond_loopback_without_a_token(
    group: str, address: str
) -> None:
    with pytest.raises(SettingsError, match=f"CONNTRAIL_{group}__ADDRESS: .*CONNTRAIL_{group}__.*TOKEN"):
        load_settings({f"CONNTRAIL_{group}__ADDRESS": address}, {})


@pytest.mark.parametrize("address", ["0.0.0.0", ":8080", "localhost:http", "8080"])
@pytest.mark.parametrize("group", ["API", "AUDIT", "HTTP"])
def test_what_is_no_address_is_named(group: str, address: str) -> None:
    with pytest.raises(SettingsError, match=f"CONNTRAIL_{group}__ADDRESS: must be host:port"):
        load_settings({f"CONNTRAIL_{group}__ADDRESS": address}, {})


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("Bearer token-é", True),
        ("bearer  token-é ", True),
        ("Bearer token", False),
        ("Basic token-é", False),
        ("", False),
    ],
)
def test_a_token_is_shown_or_not(authorization: str, expected: bool) -> None:
    assert is_shown("token-é", authorization) is expected


@pytest.fixture
def base() -> Iterator[str]:
    server = StatusServer(HttpSettings(token="token"), CollectorRegistry(), lambda: (), lambda: ())
    yield f"http://127.0.0.1:{server.start()}"
    server.stop()


def _status(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_metrics_ask_for_the_token_and_probes_do_not(base: str) -> None:
    assert _status(f"{base}/metrics", "token") == 200
    assert _status(f"{base}/metrics", "other") == 401
    assert {_status(f"{base}/{probe}", "other") for probe in ("healthz", "readyz")} == {200}


@pytest.mark.parametrize(
    ("address", "hosts"), [("[::]:0", ("127.0.0.1", "[::1]")), ("[::1]:0", ("[::1]",)), ("0.0.0.0:0", ("127.0.0.1",))]
)
def test_probes_are_answered_by_either_family(address: str, hosts: tuple[str, ...]) -> None:
    server = StatusServer(HttpSettings(address=address), CollectorRegistry(), lambda: (), lambda: ())
    port = server.start()
    try:
        assert {_status(f"http://{host}:{port}/healthz", "") for host in hosts} == {200}
    finally:
        server.stop()
