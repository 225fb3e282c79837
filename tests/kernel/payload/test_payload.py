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
from tests.kernel.attempt.network import Network, is_root, standing

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(not is_root(), reason="needs root for network namespaces")]
_GROUP = 4712
_DEADLINE_SECONDS = 60.0
_SETTINGS_FRAME = bytes(3) + b"\4" + bytes(5)
_PORTS = (net.SERVICE_PORT, net.OPEN)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with standing("ctpay") as built:
        yield built


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


def test_heads_and_frames_of_http2_share_one_limit(network: Network) -> None:
    path, limit = network.path(network.node), 10
    reader, rules = (
        PayloadReader(path, _GROUP, 8 << 20),
        PayloadRules(path, Groups(_GROUP, _GROUP + 1), None, Selection(limit, (net.OPEN,))),
    )
    reader.start()
    rules.install()
    try:
        if rules.refusal:
            pytest.skip(rules.refusal)
        with network.serving(network.server), network.open(4, socket.SOCK_STREAM) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.connect((net.SERVER[4], net.OPEN))
            began = time.monotonic()
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            for _ in range(50):
                client.send(_SETTINGS_FRAME)
                client.send(b"GET / HTTP/1.1\r\n\r\n")
            packets = _read(reader, limit)
            shown_at_most = limit * (1 + time.monotonic() - began) + 1
        packets += reader.read().packets
        kinds = {packet.kind for packet in packets}
        assert rules.read_cut()[1] > 0
        assert kinds == {Kind.HTTP2_PREFACE, Kind.HTTP_REQUEST}
        assert len(packets) <= shown_at_most
    finally:
        rules.remove()
        reader.close()
