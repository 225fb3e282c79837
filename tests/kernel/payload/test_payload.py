"""DNS as the kernel shows it, on real packets through DNAT."""

import socket
import time
from collections.abc import Iterator

import pytest

from agents.node.namespace.reader import entered
from agents.node.payload.packet import Kind, Packet
from agents.node.payload.reader import PayloadReader
from agents.node.payload.ruleset import Groups, Selection
from agents.node.payload.writer import PayloadRules
from agents.node.report.address import render_address
from tests.kernel.attempt import network as net
from tests.kernel.attempt.network import Network, is_root

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(not is_root(), reason="needs root for network namespaces")]
_GROUP = 4712
_DEADLINE_SECONDS = 60.0
_PORTS = (net.SERVICE_PORT, net.OPEN)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    built = Network("ctpay")
    built.remove()
    try:
        built.build()
        yield built
    finally:
        built.remove()


def _read(reader: PayloadReader, count: int) -> list[Packet]:
    found: list[Packet] = []
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while len(found) < count:
        assert time.monotonic() < deadline, found
        batch = reader.read()
        assert (batch.lost, batch.malformed) == (0, 0)
        found += batch.packets
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])
def test_a_query_and_its_answer_are_shown_once_each_with_their_times(network: Network, version: int) -> None:
    path = network.path(network.node)
    reader, rules = (
        PayloadReader(path, _GROUP, 8 << 20),
        PayloadRules(path, Groups(_GROUP, _GROUP + 1), Selection(2000, _PORTS), None),
    )
    reader.start()
    rules.install()
    try:
        with entered(network.path(network.server)):
            server = socket.socket(net.FAMILIES[version], socket.SOCK_DGRAM)
            server.bind((net.SERVER[version], net.OPEN))
        with server, network.open(version, socket.SOCK_DGRAM) as client:
            began_ns = time.time_ns()
            client.sendto(b"asked", (net.SERVICE[version], net.SERVICE_PORT))
            _, peer = server.recvfrom(100)
            server.sendto(b"answered", peer)
            client.recv(100)
            ended_ns = time.time_ns()
            query, answer = _read(reader, 2)
            assert reader.read().packets == []
    finally:
        rules.remove()
        reader.close()
    assert (query.kind, query.payload, query.is_reply) == (Kind.DNS_QUERY, b"asked", False)
    assert (answer.kind, answer.payload, answer.is_reply) == (Kind.DNS_ANSWER, b"answered", True)
    assert (render_address(*query.dialled[:2]), query.dialled.port) == (net.SERVICE[version], net.SERVICE_PORT)
    assert (render_address(*answer.server[:2]), answer.server.port) == (net.SERVER[version], net.OPEN)
    for packet in (query, answer):
        assert render_address(*packet.client[:2]) == net.CLIENT[version]
        assert packet.has_exact_time
    assert began_ns - 1000 <= query.seen_at_ns <= answer.seen_at_ns <= ended_ns


def test_what_the_limit_cuts_is_counted(network: Network) -> None:
    path = network.path(network.node)
    reader, rules = (
        PayloadReader(path, _GROUP, 8 << 20),
        PayloadRules(path, Groups(_GROUP, _GROUP + 1), Selection(5, _PORTS), None),
    )
    reader.start()
    rules.install()
    try:
        with network.open(4, socket.SOCK_DGRAM) as client:
            for _ in range(100):
                client.sendto(b"x", (net.FAR[4], net.OPEN))
        shown = len(_read(reader, 5))
        assert rules.read_cut()[0] > 50
        assert shown < 50
    finally:
        rules.remove()
        reader.close()
