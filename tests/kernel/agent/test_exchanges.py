"""What real clients and real servers say to each other is what the agent publishes: DNS, HTTP/1, HTTP/2, gRPC, TLS."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from agents.node.namespace.reader import entered
from tests.integration.publish import topics
from tests.kernel.agent.grpc_call import METHOD
from tests.kernel.agent.network import CLIENT, NODE, PORT, SERVER, SERVICE, Network, is_root
from tests.kernel.agent.process import AgentProcess, read
from tests.support.waiting import until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.stack,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
]
PARTITIONS = 3
_TLS_PORT, _GRPC_PORT = 8443, 50051
_ASKED = 20
_HERE = "here.example.org"
"""Asked of the node."""
_MOST_DIFFERENCE_US = 1_000
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """Rows of dns.raw and l7.raw after all clients were done, and what the asyncio client measured."""

    dns: Rows
    l7: Rows
    taken_us: dict[str, float]
    statuses: list[str]


@pytest.fixture(scope="module")
def seen(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    directory = tmp_path_factory.mktemp("exchanges")
    prefix = topics.new_name()
    for name in ("flows.raw", "dns.raw", "l7.raw"):
        topics.create(kafka, f"{prefix}.{name}", PARTITIONS)
    network = Network(f"ctexch{os.getpid()}")
    network.remove()
    agent = AgentProcess(kafka, network.path(network.node), directory, f"{prefix}.")
    servers: list[subprocess.Popen[bytes]] = []
    try:
        network.build()
        agent.start()
        servers = _serve(network, directory)
        measured = _converse(network)
        assert agent.stop() == 0, agent.log()
        rows = {name: read(kafka, f"{prefix}.{name}", PARTITIONS).rows for name in ("dns.raw", "l7.raw")}
        yield Seen(rows["dns.raw"], rows["l7.raw"], measured["taken_us"], measured["statuses"])
    finally:
        agent.kill()
        for server in servers:
            server.kill()
            server.wait()
        network.remove()


def _serve(network: Network, directory: Path) -> list[subprocess.Popen[bytes]]:
    (directory / "items").write_text("3\n")
    key = ["-keyout", "key.pem", "-out", "cert.pem", "-nodes", "-subj", "/CN=shop"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *key], cwd=directory, check=True, capture_output=True
    )
    commands = (
        ["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=",
         "--address=/www.example.org/192.0.2.1", "--address=/www.example.org/2001:db8::1", "--local=/example.org/",
         "--local-ttl=60"],
        [sys.executable, "-m", "http.server", str(PORT), "--bind", SERVER, "--directory", str(directory)],
        ["openssl", "s_server", "-quiet", "-accept", str(_TLS_PORT), "-alpn", "h2,http/1.1",
         "-cert", str(directory / "cert.pem"), "-key", str(directory / "key.pem")],
        [sys.executable, "-m", "tests.kernel.agent.grpc_call", "serve", f"{SERVER}:{_GRPC_PORT}"],
    )  # fmt: skip
    started = []
    with (directory / "servers.log").open("ab") as log:
        for place, own in ((network.server, commands), (network.node, commands[:1])):
            with entered(network.path(place)):
                started += [subprocess.Popen(c, stdin=subprocess.DEVNULL, stdout=log, stderr=log) for c in own]
    for port in (53, PORT, _TLS_PORT, _GRPC_PORT):
        until(lambda port=port: _is_listening(network.path(network.server), port))
    until(lambda: _is_listening(network.path(network.node), 53))
    return started


def _is_listening(place: str, port: int) -> bool:
    with entered(place):
        return bool(subprocess.run(["ss", "-Hltn", f"sport = :{port}"], check=True, capture_output=True).stdout)


def _converse(network: Network) -> dict[str, Any]:
    def say(*command: str) -> str:
        with entered(network.path(network.client)):
            done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    dig = ("dig", f"@{SERVER}", "+tries=1", "+timeout=5")
    assert say(*dig, "+short", "www.example.org") == "192.0.2.1\n"
    assert say(*dig, "+short", "+tcp", "+noedns", "www.example.org", "AAAA") == "2001:db8::1\n"
    assert "NXDOMAIN" in say(*dig, "nowhere.example.org")
    curl = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}")
    assert say(*curl, "-A", "shopper/1", f"http://{SERVICE}/items?page=2") == "200"
    assert say(*curl, f"http://{SERVICE}/orders/4711") == "404"
    say("openssl", "s_client", "-connect", f"{SERVER}:{_TLS_PORT}", "-servername", "pay.shop", "-alpn", "h2")
    say(sys.executable, "-m", "tests.kernel.agent.grpc_call", "call", f"{SERVER}:{_GRPC_PORT}")
    measured: dict[str, Any] = {"taken_us": {}, "statuses": []}
    for server, domain in ((SERVER, "example.org"), (NODE, _HERE)):
        program = (sys.executable, "-m", "tests.kernel.agent.asyncio_client", server, domain)
        told = json.loads(say(*program, str(_ASKED), f"{SERVICE}:80"))
        measured["taken_us"] |= told["taken_us"]
        measured["statuses"] += told["statuses"]
    return measured


def _named(rows: Rows, name: str) -> Rows:
    return [row for row in rows if row["name"] == name]


def test_what_dig_asks_is_told_with_its_answer(seen: Seen) -> None:
    [first, whole] = sorted(_named(seen.dns, "www.example.org"), key=lambda row: row["type"])
    assert (first["type"], first["protocol"], first["answers"]) == ("A", 17, ["192.0.2.1"])
    assert (whole["type"], whole["protocol"], whole["answers"]) == ("AAAA", 6, ["2001:db8::1"])
    assert {row["time_to_live_seconds"] for row in (first, whole)} == {60}
    assert {row["client_address"] for row in (first, whole)} == {CLIENT}
    [missing] = _named(seen.dns, "nowhere.example.org")
    assert (missing["response_code"], missing["server_address"], missing["server_port"]) == ("NXDOMAIN", SERVER, 53)


def test_latencies_of_dns_are_those_that_an_asyncio_client_measures(seen: Seen) -> None:
    differences: dict[int, list[float]] = {6: [], 17: []}
    for name, taken_us in seen.taken_us.items():
        if name.endswith(_HERE):
            continue
        [row] = _named(seen.dns, name)
        assert (row["count"], row["timed"], row["response_code"]) == (1, 1, "NXDOMAIN")
        assert 0 < row["latency_sum_us"] <= taken_us
        differences[row["protocol"]].append(taken_us - row["latency_sum_us"])
    assert [len(found) for found in differences.values()] == [_ASKED, _ASKED]
    assert median(differences[17]) < _MOST_DIFFERENCE_US


def test_answers_of_a_cache_on_the_node_are_timed_as_far_as_the_agent_waited_for_them(seen: Seen) -> None:
    differences = []
    for turn in range(_ASKED):
        [by_udp], [by_tcp] = (_named(seen.dns, f"name{turn}.{way}.{_HERE}") for way in ("udp", "tcp"))
        assert (by_udp["count"], by_udp["response_code"], by_udp["server_address"]) == (1, "NXDOMAIN", NODE)
        assert (by_tcp["count"], by_tcp["response_code"], by_tcp["timed"]) == (1, "NXDOMAIN", 0)
        if by_udp["timed"]:
            assert by_udp["latency_sum_us"] > 0
            differences.append(abs(seen.taken_us[by_udp["name"]] - by_udp["latency_sum_us"]))
    assert differences, "the agent was never waiting"
    assert min(differences) < _MOST_DIFFERENCE_US, "on a busy machine it wakes later than that now and then"


def test_requests_are_told_by_template_and_status_with_the_service_that_was_dialled(seen: Seen) -> None:
    requests = [row for row in seen.l7 if row["protocol"] == "http"]
    assert {(row["dialled_address"], row["dialled_port"]) for row in requests} == {(SERVICE, 80)}
    assert {(row["server_address"], row["server_port"]) for row in requests} == {(SERVER, PORT)}
    found = {(row["path"], row["status"]): row for row in requests}
    assert found["/items", 200]["user_agent"] == "shopper/1"
    assert found["/orders/{id}", 404]["count"] == 1
    assert seen.statuses == ["404"] * 2 * _ASKED
    assert sum(row["count"] for row in requests if (row["path"], row["status"]) == ("/reports/{id}", 404)) == 2 * _ASKED


def test_a_client_hello_tells_its_server_name(seen: Seen) -> None:
    [hello] = [row for row in seen.l7 if row["protocol"] == "tls"]
    assert (hello["host"], hello["tls_alpn"], hello["tls_version"]) == ("pay.shop", ["h2"], "1.3")
    assert hello["tls_ja4"].startswith("t13d")


def test_grpc_is_told_with_its_method_though_its_preface_comes_alone(seen: Seen) -> None:
    [called] = [row for row in seen.l7 if row["server_port"] == _GRPC_PORT]
    assert (called["protocol"], called["method"], called["path"]) == ("grpc", "POST", METHOD)
    assert called["user_agent"].startswith("grpc-python/")
