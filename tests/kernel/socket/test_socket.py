"""Sockets and processes of real programs in pods' namespaces, asked for by what conntrack knows of them."""

import ipaddress
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agents.errors import ReadError
from agents.node.attempt.address import map_address
from agents.node.process.reader import ProcessReader
from agents.node.report.columns import REPORT, Reports, Sockets
from agents.node.socket.reader import SocketReader
from tests.kernel.socket import network as net
from tests.kernel.socket.network import Network, Program, is_root, running

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(not is_root(), reason="needs root for network namespaces")]
_VERSIONS = pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])
_DEADLINE_SECONDS = 60.0
_TCP, _UDP = 6, 17
_ESTABLISHED, _SYN_SENT = 1, 2
_EXECUTABLE = os.path.realpath(sys.executable)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    built = Network("ctsck")
    built.remove()
    try:
        built.build()
        yield built
    finally:
        built.remove()


@pytest.fixture
def reader(network: Network) -> Iterator[SocketReader]:
    opened = SocketReader(network.path(network.node), 1 << 20)
    try:
        opened.start()
        opened.refresh_namespaces()
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def server(network: Network) -> Iterator[Program]:
    with running(network.server, net.SERVER_PROGRAM) as program:
        yield program


@pytest.fixture
def client(network: Network) -> Iterator[Program]:
    with running(network.client, net.CLIENT_PROGRAM) as program:
        yield program


def _row(version: int, protocol: int, source_port: int, port: int = net.PORT, destination: str = "") -> Reports:
    row = np.zeros(1, REPORT)
    row["protocol"] = protocol
    address = destination or net.SERVER[version]
    for end, text, number in (
        ("original_source", net.CLIENT[version], source_port),
        ("original_destination", address, port),
        ("reply_source", address, port),
        ("reply_destination", net.CLIENT[version], source_port),
    ):
        row[f"{end}_high"], row[f"{end}_low"] = map_address(ipaddress.ip_address(text).packed)
        row[f"{end}_port"] = number
    return row


def _source(sockets: Sockets, source_port: int) -> np.void:
    [found] = sockets[sockets["local_port"] == source_port]
    return found


def _destination(sockets: Sockets, source_port: int) -> np.void:
    [found] = sockets[sockets["remote_port"] == source_port]
    return found


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_pods_of_the_node_are_found_and_strangers_are_not(reader: SocketReader) -> None:
    assert reader.namespaces.known == 3
    assert reader.namespaces.foreign >= 2  # the stranger, and the machine's own
    assert len(reader.filenos()) == 3


@_VERSIONS
def test_both_ends_of_a_connection_have_figures_and_processes(
    reader: SocketReader, server: Program, client: Program, version: int
) -> None:
    port = client.do(do="connect", address=net.SERVER[version], port=net.PORT)["port"]
    server.tell("accept")
    client.begin('{"do": "talk", "bytes": 1000}')  # what is sent comes back: both ends have measured a round trip
    server.tell("echo")
    client.answer()
    sockets = reader.look_up(_row(version, _TCP, port))
    assert len(sockets) == 2
    processes = ProcessReader().look_up(sockets["inode"].tolist())
    for found, program in ((_source(sockets, port), client), (_destination(sockets, port), server)):
        assert found["state"] == _ESTABLISHED
        assert found["has_figures"]
        assert 0 < found["rtt_us"] < 10_000_000
        assert found["inode"] > 0
        process = processes[int(found["inode"])]
        assert (process.pid, process.executable) == (program.pid, _EXECUTABLE)
        assert process.name == Path(f"/proc/{program.pid}/comm").read_text().strip()
    client.do(do="close")
    server.tell("close")


@_VERSIONS
def test_a_short_connection_leaves_its_figures_when_it_closes(
    reader: SocketReader, server: Program, client: Program, version: int
) -> None:
    reader.take_closed()
    port = client.do(do="connect", address=net.SERVER[version], port=net.PORT)["port"]
    server.tell("accept")
    client.do(do="close")
    server.tell("close")
    taken: list[Sockets] = []

    def has_both_ends() -> bool:
        taken.append(reader.take_closed())
        closed = np.concatenate(taken)
        return port in closed["local_port"] and port in closed["remote_port"]

    _until(has_both_ends)
    closed = np.concatenate(taken)
    for found in (_source(closed, port), _destination(closed, port)):
        assert found["protocol"] == _TCP
        assert found["has_figures"]
        assert found["inode"] == 0


@_VERSIONS
def test_an_unconnected_datagram_socket_and_its_server_are_found(
    reader: SocketReader, server: Program, client: Program, version: int
) -> None:
    port = client.do(do="send", address=net.SERVER[version], port=net.PORT)["port"]
    sockets = reader.look_up(_row(version, _UDP, port))
    processes = ProcessReader().look_up(sockets["inode"].tolist())
    assert processes[int(_source(sockets, port)["inode"])].pid == client.pid
    assert processes[int(_destination(sockets, port)["inode"])].pid == server.pid
    assert not sockets["has_figures"].any()


def test_a_listener_answers_for_a_connection_that_is_gone(reader: SocketReader, server: Program) -> None:
    sockets = reader.look_up(_row(4, _TCP, 60_999))
    found = _destination(sockets, 60_999)
    assert not found["has_figures"]
    assert ProcessReader().look_up([int(found["inode"])])[int(found["inode"])].pid == server.pid


@_VERSIONS
def test_a_dropped_connect_shows_its_retransmits(
    network: Network, reader: SocketReader, client: Program, version: int
) -> None:
    net.run(
        "ip", "netns", "exec", network.node, "nft", "-f", "-",
        text="table inet own { chain forward { type filter hook forward priority 0; tcp dport 9001 drop; }; }",
    )  # fmt: skip
    try:
        port = client.do(do="start", address=net.SERVER[version], port=9001)["port"]
        row = _row(version, _TCP, port, 9001)
        _until(lambda: _source(reader.look_up(row), port)["total_retransmits"] >= 1)
        found = _source(reader.look_up(row), port)
        assert found["state"] == _SYN_SENT
        assert ProcessReader().look_up([int(found["inode"])])[int(found["inode"])].pid == client.pid
    finally:
        net.run("ip", "netns", "exec", network.node, "nft", "delete", "table", "inet", "own")


def test_the_node_s_own_loopback_is_asked_in_the_node_alone(network: Network, reader: SocketReader) -> None:
    source = (
        "import socket, sys\ns = socket.create_server(('127.0.0.1', 7070))\nprint('{}', flush=True)\nsys.stdin.read()"
    )
    with running(network.node, source) as program, running(network.client, source):
        row = _row(4, _TCP, 50_000, 7070, "127.0.0.1")
        sockets = reader.look_up(row)
        [inode] = sockets[sockets["local_port"] == 7070]["inode"].tolist()
        assert ProcessReader().look_up([inode])[inode].pid == program.pid


def test_many_ends_are_answered_each_with_its_own(reader: SocketReader, server: Program) -> None:
    rows = np.concatenate([_row(4, _TCP, port) for port in range(20_000, 21_000)])
    sockets = reader.look_up(rows)
    processes = ProcessReader().look_up(sockets["inode"].tolist())
    assert sorted(sockets["remote_port"].tolist()) == list(range(20_000, 21_000))
    assert [process.pid for process in processes.values()] == [server.pid]
    assert reader.malformed == 0


def test_the_cgroup_of_a_socket_is_its_directory(reader: SocketReader, client: Program) -> None:
    port = client.do(do="send", address=net.SERVER[4], port=net.PORT)["port"]
    cgroup_id = int(_source(reader.look_up(_row(4, _UDP, port)), port)["cgroup_id"])
    lines = Path(f"/proc/{client.pid}/cgroup").read_text().splitlines()
    [path] = [line.removeprefix("0::") for line in lines if line.startswith("0::")]
    mounts = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
    inodes = {(mount / path.lstrip("/")).stat().st_ino for mount in mounts if (mount / path.lstrip("/")).exists()}
    assert cgroup_id in inodes


def test_a_new_pod_is_taken_in_and_a_vanished_one_let_go(network: Network, reader: SocketReader) -> None:
    name = f"{network.node}-late"
    net.run("ip", "netns", "add", name)
    try:
        network.add_pod(9, name)

        def is_taken_in() -> bool:
            reader.refresh_namespaces()
            return reader.namespaces.known == 4

        _until(is_taken_in)
    finally:
        net.run("ip", "netns", "del", name)
    reader.refresh_namespaces()
    assert reader.namespaces.known == 3
    _until(lambda: "v9" not in net.run("ip", "-n", network.node, "-o", "link"))


def test_a_path_that_is_no_namespace_is_told() -> None:
    with pytest.raises(ReadError, match="no-such-node"):
        SocketReader("/run/netns/no-such-node", 1 << 20).start()


def test_what_is_held_by_nobody_is_counted(tmp_path: Path) -> None:
    reader = ProcessReader()
    with socket.socket() as own:
        inode = os.fstat(own.fileno()).st_ino
        assert reader.look_up([inode])[inode].pid == os.getpid()
    assert reader.look_up([inode]) == {}
    assert reader.missed == 1
    with pytest.raises(ReadError, match="absent"):
        ProcessReader(str(tmp_path / "absent")).look_up([1])
