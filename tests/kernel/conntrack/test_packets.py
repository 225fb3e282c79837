"""Real packets: what the table reports is what the kernel counted."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest

from agents.node.conntrack.entry import COUNTERS
from agents.node.conntrack.reader import ConntrackReader
from agents.node.conntrack.table import ConnectionTable
from agents.node.report.columns import END_REASONS, REPORT, Reports
from tests.kernel.conntrack.network import (
    DEAD_PORT,
    HOSTS,
    PING_ID,
    PORT,
    SERVICE_PORT,
    SERVICES,
    TRANSLATED,
    Network,
    exchange,
    network,
    until,
)

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in ("conntrack", "nft", "ip")),
        reason="needs the programs conntrack, nft and ip (make setup)",
    ),
]
BOTH = pytest.mark.parametrize("version", [4, 6])


@dataclass
class Watch:
    """An agent's loop without the agent."""

    there: Network
    reader: ConntrackReader
    table: ConnectionTable
    reports: list[Reports]

    def poll(self) -> Reports:
        """One interval; its rows."""
        self.drain()
        dump = self.reader.dump()
        assert dump.malformed == 0
        self.table.apply_dump(dump.entries, time.time_ns())
        self.reports.append(self.table.take_report(time.time_ns()))
        return self.reports[-1]

    def drain(self) -> None:
        events = self.reader.read_events()
        assert (events.malformed, events.overruns) == (0, 0)
        self.table.apply_new(events.new, time.time_ns())
        self.table.apply_destroyed(events.destroyed, time.time_ns())

    def restart(self) -> None:
        """Another life of the agent, with the state of this one."""
        state = self.table.export_state()
        self.reader.close()
        self.reader = ConntrackReader(self.there.path, 1 << 22)
        self.table = ConnectionTable(1, 1000)
        self.table.import_state(state)
        self.reader.start()

    def rows(self, chosen: Callable[[Any], bool] = lambda _: True) -> Reports:
        found = [row for report in self.reports for row in report if chosen(row)]
        return np.array(found, REPORT)

    def total(self, chosen: Callable[[Any], bool] = lambda _: True) -> tuple[int, int, int, int]:
        rows = self.rows(chosen)
        packets, size, reply_packets, reply_size = (int(rows[name].sum()) for name in COUNTERS)
        return packets, size, reply_packets, reply_size


@pytest.fixture
def watch() -> Iterator[Watch]:
    with network() as there:
        reader = ConntrackReader(there.path, 1 << 22)
        reader.start()
        watched = Watch(there, reader, ConnectionTable(1, 1000), [])
        watched.poll()
        yield watched
        watched.reader.close()


def address(row: Any, name: str) -> str:
    parsed = ip_address(((int(row[f"{name}_high"]) << 64) | int(row[f"{name}_low"])).to_bytes(16, "big"))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


@BOTH
def test_every_byte_of_a_tcp_connection_is_told_once_over_many_intervals(watch: Watch, version: int) -> None:
    with watch.there.server(version) as server, watch.there.connection(version, server) as (client, peer):
        for turn in range(5):
            exchange(client, peer, 1000 * turn + 1, 7000)
            watch.poll()
    counted = watch.there.counted_when_closed(version)
    watch.poll()
    assert watch.total() == counted
    rows = watch.rows()
    assert len(set(rows["connection_id"].tolist())) == 1
    assert rows["is_first"].tolist() == [True] + [False] * (len(rows) - 1)
    assert rows["is_final"].tolist() == [False] * (len(rows) - 1) + [True]
    assert END_REASONS[rows[-1]["end_reason"]] == "closed"
    assert rows[0]["family"] == {4: socket.AF_INET, 6: socket.AF_INET6}[version]


@BOTH
def test_a_service_shows_what_was_dialled_and_who_answered_and_as_whom_the_source_went(
    watch: Watch, version: int
) -> None:
    there = watch.there
    with there.server(version) as server, there.connection(version, server, SERVICES[version]) as (client, peer):
        exchange(client, peer, 300, 400)
        assert peer.getpeername()[0] == TRANSLATED[version]
        (row,) = watch.poll()
    assert address(row, "original_source") == HOSTS[version]
    assert (address(row, "original_destination"), row["original_destination_port"]) == (SERVICES[version], SERVICE_PORT)
    assert (address(row, "reply_source"), row["reply_source_port"]) == (HOSTS[version], PORT)
    assert address(row, "reply_destination") == TRANSLATED[version]
    assert row["original_bytes"] > 300
    assert row["reply_bytes"] > 400


@BOTH
def test_udp_and_icmp_are_counted_and_a_flushed_entry_is_evicted(watch: Watch, version: int) -> None:
    there = watch.there
    kind = socket.SOCK_DGRAM
    with there.server(version, kind) as server, there.opened(version, kind) as client:
        for turn in range(3):
            client.sendto(bytes(100 + turn), (HOSTS[version], PORT))
            server.sendto(bytes(200), server.recvfrom(1000)[1])
            there.ping(version)
            watch.poll()
    for protocol, name in ((17, "udp"), ({4: 1, 6: 58}[version], {4: "icmp", 6: "icmpv6"}[version])):
        counted = there.counted("-f", f"ipv{version}", "-p", name)
        total = watch.total(lambda row, protocol=protocol: row["protocol"] == protocol)
        assert total == tuple(sum(column) for column in zip(*counted, strict=True))
    assert set(watch.rows(lambda row: row["protocol"] in {1, 58})["icmp_id"].tolist()) >= {PING_ID}
    there.conntrack("-D", "-f", f"ipv{version}", "-p", "udp")
    (ended,) = (row for row in watch.poll() if row["protocol"] == 17)
    assert ended["is_final"]
    assert END_REASONS[ended["end_reason"]] == "evicted"


@BOTH
def test_a_short_connection_between_two_dumps_is_one_row_with_its_final_counters(watch: Watch, version: int) -> None:
    with watch.there.server(version) as server, watch.there.connection(version, server) as (client, peer):
        exchange(client, peer, 2000, 3000)
    counted = watch.there.counted_when_closed(version)
    watch.there.conntrack("-F")
    (row,) = watch.poll()
    assert watch.total() == counted
    assert row["is_first"]
    assert row["is_final"]
    assert END_REASONS[row["end_reason"]] == "closed"
    assert 0 < row["started_at_ns"] < row["ended_at_ns"]


@BOTH
def test_a_dead_port_is_told_as_reset(watch: Watch, version: int) -> None:
    with watch.there.opened(version) as client:
        assert client.connect_ex((HOSTS[version], DEAD_PORT)) != 0
    (row,) = watch.poll()
    assert END_REASONS[row["end_reason"]] == "reset"
    assert (row["is_first"], row["is_final"]) == (True, True)
    assert (row["original_packets"], row["reply_packets"]) == (1, 1)


def test_an_entry_whose_time_is_over_ends_by_timeout(watch: Watch) -> None:
    watch.there.insert(seconds=1)

    def has_ended() -> bool:
        watch.poll()
        watch.there.conntrack("-L")  # a listing removes what has expired
        return len(watch.rows(lambda row: row["is_final"])) > 0

    until(has_ended)
    (ended,) = watch.rows(lambda row: row["is_final"])
    assert END_REASONS[ended["end_reason"]] == "timeout"


def test_an_old_connection_tells_only_what_it_carries_from_the_first_look_on() -> None:
    with network() as there:
        reader = ConntrackReader(there.path, 1 << 22)
        watch = Watch(there, reader, ConnectionTable(1, 1000), [])
        with there.server(4) as server, there.connection(4, server) as (client, peer):
            exchange(client, peer, 100_000, 100_000)
            reader.start()
            (before,) = reader.dump().entries
            watch.table.apply_dump(np.array([before]), time.time_ns())
            exchange(client, peer, 500, 600)
        counted = there.counted_when_closed(4)
        there.conntrack("-F")
        watch.poll()
        reader.close()
    assert before["original_bytes"] > 100_000
    assert watch.total() == tuple(late - int(before[name]) for late, name in zip(counted, COUNTERS, strict=True))
    assert watch.rows()["is_final"].tolist() == [True]


def test_a_restart_in_the_middle_neither_doubles_nor_loses_a_byte(watch: Watch) -> None:
    with watch.there.server(4) as server, watch.there.connection(4, server) as (client, peer):
        for turn in range(6):
            exchange(client, peer, 1000 + turn, 9000 + turn)
            if turn % 2:
                watch.restart()
            watch.poll()
        with watch.there.connection(4, server) as (other, other_peer):
            exchange(other, other_peer, 100, 100)
            watch.restart()
            exchange(other, other_peer, 200, 200)
    until(lambda: watch.there.conntrack("-L", "-p", "tcp").count("TIME_WAIT") == 2)
    watch.poll()
    rows = watch.rows()

    def total_of(identity: int) -> tuple[int, int, int, int]:
        return watch.total(lambda row: row["connection_id"] == identity)

    assert sorted(map(total_of, set(rows["connection_id"].tolist()))) == watch.there.counted("-f", "ipv4")
    assert rows["is_first"].sum() == 2
    assert rows["is_final"].sum() == 2


def test_an_end_that_was_heard_but_not_reported_survives_a_restart(watch: Watch) -> None:
    with watch.there.server(4) as server, watch.there.connection(4, server) as (client, peer):
        exchange(client, peer, 2000, 3000)
        watch.poll()
        exchange(client, peer, 4000, 5000)
    counted = watch.there.counted_when_closed(4)
    watch.there.conntrack("-F")
    watch.drain()
    watch.restart()
    watch.poll()
    assert watch.total() == counted
    assert watch.rows()["is_final"].sum() == 1
