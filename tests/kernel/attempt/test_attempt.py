"""What conntrack does not tell, against real packets: who tried, what became of it, and never a false denial."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from agents.errors import ReadError
from agents.node.attempt.reader import AttemptReader
from agents.node.attempt.table import AttemptTable
from agents.node.attempt.writer import AttemptRules
from agents.node.conntrack.reader import ConntrackReader
from agents.node.namespace.reader import entered
from agents.node.report.address import render_address
from agents.node.report.columns import EVIDENCES, Reports
from tests.kernel.attempt import network as net
from tests.kernel.attempt.network import Network, is_root, standing

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(not is_root(), reason="needs root for network namespaces")]
_GROUP = 4711
_PATIENCE_NS = 200_000_000
_DEADLINE_SECONDS = 60.0
_TCP, _UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
_NUMBER = {_TCP: 6, _UDP: 17}
_UNUSED_PORT = 15_000
"""Below those that the kernel chooses: a port used twice would be no new connection."""
_KINDS = pytest.mark.parametrize("kind", [_TCP, _UDP], ids=["tcp", "udp"])
_VERSIONS = pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])


class Watched:
    """The parts as the agent turns them: log lines, then events, then the report."""

    def __init__(self, netns: str) -> None:
        self.connections = ConntrackReader(netns, 8 << 20)
        self.rules = AttemptRules(netns, _GROUP, 2000)
        self.reader = AttemptReader(netns, _GROUP, 8 << 20)
        self.table = AttemptTable(1, _PATIENCE_NS, 4096)
        self.reports: list[Reports] = []
        self.confirmed = 0
        self.noted = 0

    def start(self) -> None:
        self.connections.start()
        self.reader.start()
        self.rules.install()

    def turn(self) -> None:
        now_ns = time.time_ns()
        batch = self.reader.read()
        assert (batch.overruns, batch.lost, batch.malformed) == (0, 0, 0)
        self.noted += len(batch.rows)
        self.table.note(batch.rows, now_ns)
        events = self.connections.read_events()
        self.confirmed += len(events.new)
        self.table.confirm(events.new)
        report = self.table.take_report(now_ns)
        if len(report):
            self.reports.append(report)

    def rows(self, port: int) -> Reports:
        """All reported of attempts that dialled this port."""
        found = np.concatenate(self.reports) if self.reports else self.table.take_report(0)
        return found[found["original_destination_port"] == port]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not so in time; reported {self.reports}"
            self.turn()
            time.sleep(0.02)

    def pass_patience(self) -> None:
        """Turn until an attempt made now would surely have been reported."""
        end = time.monotonic() + 4 * _PATIENCE_NS / 1e9
        self.until(lambda: time.monotonic() >= end)

    def close(self) -> None:
        self.rules.remove()
        self.reader.close()
        self.connections.close()


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with standing("ctatt") as built:
        yield built


@pytest.fixture
def watched(network: Network) -> Iterator[Watched]:
    parts = Watched(network.path(network.node))
    try:
        parts.start()
        yield parts
    finally:
        parts.close()


def _dial(
    network: Network, version: int, kind: socket.SocketKind, address: str, port: int, *, source_port: int = 0
) -> socket.socket:
    """Send the first packet and do not wait for what becomes of it."""
    opened = network.open(version, kind)
    if source_port:
        opened.bind((net.CLIENT[version], source_port))
    opened.setblocking(False)
    if kind == _TCP:
        opened.connect_ex((address, port))
    else:
        opened.sendto(b"hello", (address, port))
    return opened


def _ends(row: np.void) -> tuple[str, str, str, str]:
    return tuple(
        render_address(int(row[f"{end}_high"]), int(row[f"{end}_low"]))
        for end in ("original_source", "original_destination", "reply_source", "reply_destination")
    )  # type: ignore[return-value]  # four ends


@_KINDS
@_VERSIONS
@pytest.mark.parametrize("target", [net.SERVER, net.FAR], ids=["same node", "beyond the node"])
def test_a_dropped_packet_is_a_denied_attempt(
    network: Network, watched: Watched, kind: socket.SocketKind, version: int, target: dict[int, str]
) -> None:
    with _dial(network, version, kind, target[version], net.DROPPED) as opened:
        watched.until(lambda: len(watched.rows(net.DROPPED)) > 0)
        port = opened.getsockname()[1]
    row = watched.rows(net.DROPPED)[0]
    address = target[version]
    assert _ends(row) == (net.CLIENT[version], address, address, net.CLIENT[version])
    assert (row["protocol"], row["original_source_port"], row["reply_destination_port"]) == (_NUMBER[kind], port, port)
    assert EVIDENCES[row["evidence"]] == "attempt"
    assert row["is_first"]
    assert row["original_packets"] == row["attempts"] == watched.noted  # TCP asks again after a second
    assert row["original_bytes"] > 20
    assert abs(row["started_at_ns"] - time.time_ns()) < 30e9


@_VERSIONS
def test_a_reset_is_evidence_of_rejection(network: Network, watched: Watched, version: int) -> None:
    with _dial(network, version, _TCP, net.SERVER[version], net.REJECTED):
        watched.until(lambda: len(watched.rows(net.REJECTED)) > 0)
    [row] = watched.rows(net.REJECTED)
    assert EVIDENCES[row["evidence"]] == "reject"
    assert row["is_final"]


@_KINDS
@_VERSIONS
def test_an_unreachable_error_is_evidence_of_rejection(
    network: Network, watched: Watched, kind: socket.SocketKind, version: int
) -> None:
    with _dial(network, version, kind, net.SERVER[version], net.PROHIBITED):
        watched.until(lambda: len(watched.rows(net.PROHIBITED)) > 0)
    assert EVIDENCES[watched.rows(net.PROHIBITED)[0]["evidence"]] == "reject"


@_KINDS
@_VERSIONS
def test_a_denied_service_shows_what_was_dialled_and_the_real_destination(
    network: Network, watched: Watched, kind: socket.SocketKind, version: int
) -> None:
    with _dial(network, version, kind, net.SERVICE[version], net.SHUT_SERVICE_PORT):
        watched.until(lambda: len(watched.rows(net.SHUT_SERVICE_PORT)) > 0)
    row = watched.rows(net.SHUT_SERVICE_PORT)[0]
    client = net.CLIENT[version]
    assert _ends(row) == (client, net.SERVICE[version], net.SERVER[version], client)
    assert row["reply_source_port"] == net.DROPPED


@_VERSIONS
def test_allowed_connections_are_never_called_denied(network: Network, watched: Watched, version: int) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(network.serving(network.server))
        for address, port in ((net.SERVER[version], net.OPEN), (net.SERVICE[version], net.SERVICE_PORT)):
            for kind in (_TCP, _UDP):
                for _ in range(30):
                    opened = stack.enter_context(_dial(network, version, kind, address, port))
                    if kind == _UDP:  # answered by nobody: its packets stay "new" for conntrack
                        opened.sendto(b"again", (address, port))
        watched.until(lambda: watched.confirmed >= 120 and watched.noted >= 120)
        watched.pass_patience()
    assert watched.reports == []
    assert len(watched.table) == 0


def test_a_burst_of_short_connections_is_never_called_denied(network: Network, watched: Watched) -> None:
    count = 3000
    with network.serving(network.server), entered(network.path(network.client)):
        for number in range(count):
            with socket.socket(socket.AF_INET, _TCP if number % 3 == 0 else _UDP) as opened:
                opened.settimeout(5)
                opened.bind((net.CLIENT[4], 10_000 + number))  # a port used twice would be no new connection
                opened.connect((net.SERVICE[4], net.SERVICE_PORT))
                if number % 3:
                    opened.send(b"x")
            if number % 50 == 0:
                watched.turn()
    watched.until(lambda: watched.confirmed >= count)
    watched.pass_patience()
    assert watched.noted > count
    assert watched.reports == []


def test_a_closed_port_is_an_allowed_attempt(network: Network, watched: Watched) -> None:
    """The destination itself answers by reset: nothing on this node denied it."""
    with contextlib.ExitStack() as stack:
        for kind in (_TCP, _UDP):
            stack.enter_context(_dial(network, 4, kind, net.SERVER[4], net.OPEN, source_port=_UNUSED_PORT))
        watched.until(lambda: watched.confirmed >= 2)
        watched.pass_patience()
    assert watched.reports == []


def test_the_nodes_own_connections_are_seen_too(network: Network, watched: Watched) -> None:
    net.run(
        "ip", "netns", "exec", network.node, "nft", "-f", "-",
        text="table inet own { chain output { type filter hook output priority 0; tcp dport 9009 drop; }; }",
    )  # fmt: skip
    try:
        with network.open(4, _TCP, network.node) as opened:
            opened.setblocking(False)
            opened.connect_ex((net.SERVER[4], 9009))
            watched.until(lambda: len(watched.rows(9009)) > 0)
    finally:
        net.run("ip", "netns", "exec", network.node, "nft", "delete", "table", "inet", "own")


def test_retransmits_belong_to_the_attempt_that_they_repeat(network: Network, watched: Watched) -> None:
    with _dial(network, 4, _TCP, net.SERVER[4], net.DROPPED):
        watched.until(lambda: int(watched.rows(net.DROPPED)["attempts"].sum()) >= 3)
    rows = watched.rows(net.DROPPED)
    assert len(set(rows["connection_id"].tolist())) == 1
    assert rows["is_first"].tolist() == [True] + [False] * (len(rows) - 1)
    assert not rows["is_final"].any()
    final = watched.table.take_report(time.time_ns() + 10**9, flush=True)
    assert final["is_final"].tolist() == [True]


def test_what_the_rate_limit_cuts_is_counted(network: Network, watched: Watched) -> None:
    rules = AttemptRules(network.path(network.node), _GROUP, 5)
    rules.install()
    with network.open(4, _UDP) as opened:
        for port in range(20_000, 20_100):
            opened.sendto(b"x", (net.FAR[4], port))
        watched.until(lambda: rules.read_cut() + watched.noted >= 100)
    assert rules.read_cut() > 50
    assert watched.noted < 50


def test_a_held_group_is_named_with_the_setting(network: Network, watched: Watched) -> None:
    assert watched.reader.fileno() > 0
    with pytest.raises(ReadError, match=rf"{_GROUP}.*CONNTRAIL_AGENT__NFLOG_GROUP"):
        AttemptReader(network.path(network.node), _GROUP, 1 << 20).start()


def test_the_rules_replace_a_stale_table_and_leave_nothing_behind(network: Network) -> None:
    rules = AttemptRules(network.path(network.node), _GROUP, 10)
    rules.install()
    AttemptRules(network.path(network.node), _GROUP + 1, 10).install()
    rules.install()
    assert network.tables().count("conntrail") == 1
    rules.remove()
    rules.remove()
    assert "conntrail" not in network.tables()
    with pytest.raises(ReadError, match="flushed"):
        rules.read_cut()


def test_a_flushed_ruleset_is_told_by_the_next_count(network: Network, watched: Watched) -> None:
    net.run("ip", "netns", "exec", network.node, "nft", "delete", "table", "inet", "conntrail")
    with pytest.raises(ReadError, match="conntrail"):
        watched.rules.read_cut()
