from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.table import ConnectionTable
from agents.node.report.columns import END_REASONS, REPORT, TCP_STATES, Reports

SECOND = 1_000_000_000
ESTABLISHED, TIME_WAIT, SYN_SENT = (TCP_STATES.index(name) for name in ("established", "time_wait", "syn_sent"))


@dataclass
class Connection:
    """A connection as the kernel would count it."""

    number: int
    started_at_ns: int
    packets: int = 0
    bytes: int = 0
    is_open: bool = True
    state: int = ESTABLISHED

    def entry(self, stopped_at_ns: int = 0) -> tuple[object, ...]:
        values = dict.fromkeys(ENTRY.names or (), 0) | {
            "family": 2,
            "protocol": 6,
            "original_source_low": 0xFFFF0A000001,
            "original_destination_low": 0xFFFF0A000002,
            "original_source_port": 1000 + self.number,
            "id": 7 + self.number,
            "status": 2,
            "tcp_state": self.state,
            "has_counters": True,
            "original_packets": self.packets,
            "original_bytes": self.bytes,
            "started_at_ns": self.started_at_ns,
            "stopped_at_ns": stopped_at_ns,
        }
        return tuple(values[name] for name in ENTRY.names or ())


def entries(*rows: tuple[object, ...]) -> Entries:
    return np.array(list(rows), ENTRY)


class Kernel:
    """What the kernel holds, and a table that watches it."""

    def __init__(self, is_timed: bool) -> None:
        self.is_timed = is_timed
        self.now = 1000 * SECOND
        self.live: dict[int, Connection] = {}
        self.ended: list[Connection] = []
        self.opened = 0
        self.table = ConnectionTable(1, 1000)
        self.reports: list[Reports] = []
        self.dump()
        self.report()

    def open(self, number: int) -> None:
        if number not in self.live:
            self.opened += 1
            connection = Connection(number, self.now if self.is_timed else 0, packets=1, bytes=60)
            self.live[number] = connection
            self.table.apply_new(entries(connection.entry()), self.now)

    def send(self, number: int, count: int) -> None:
        if number in self.live:
            self.live[number].packets += count
            self.live[number].bytes += 100 * count

    def end(self, number: int) -> None:
        if number in self.live:
            connection = self.live.pop(number)
            connection.is_open = False
            connection.state = TIME_WAIT
            self.ended.append(connection)
            self.table.apply_destroyed(entries(connection.entry(self.now)), self.now)

    def dump(self) -> None:
        self.table.apply_dump(entries(*(c.entry() for c in self.live.values())), self.now)

    def report(self) -> None:
        self.reports.append(self.table.take_report(self.now))

    def restart(self) -> None:
        state = self.table.export_state()
        self.table = ConnectionTable(1, 1000)
        self.table.import_state(state)


numbers = st.integers(0, 3)
steps = st.one_of(
    st.tuples(st.just("open"), numbers),
    st.tuples(st.just("send"), numbers, st.integers(0, 5)),
    st.tuples(st.just("end"), numbers),
    st.tuples(st.just("interval")),
    st.tuples(st.just("restart")),
)


@settings(max_examples=300)
@given(st.booleans(), st.lists(steps, max_size=40))
def test_reports_add_up_to_what_the_kernel_counted(is_timed: bool, sequence: list[tuple[object, ...]]) -> None:
    kernel = Kernel(is_timed)
    for name, *arguments in sequence:
        kernel.now += SECOND
        if name == "interval":
            kernel.dump()
            kernel.report()
        elif name == "restart":
            kernel.dump()
            kernel.report()
            kernel.restart()
        else:
            getattr(kernel, str(name))(*arguments)
    kernel.now += SECOND
    kernel.dump()
    kernel.report()

    rows = np.concatenate(kernel.reports)
    wanted = sum(c.bytes for c in [*kernel.live.values(), *kernel.ended])
    assert int(rows["original_bytes"].sum()) == wanted
    assert int(rows["is_first"].sum()) == kernel.opened
    assert int(rows["is_final"].sum()) == len(kernel.ended)
    by_connection: dict[int, int] = defaultdict(int)
    for row in rows:
        by_connection[int(row["connection_id"])] += int(row["original_bytes"])
    if is_timed:
        assert sorted(by_connection.values()) == sorted(c.bytes for c in [*kernel.live.values(), *kernel.ended])


def test_a_connection_that_began_and_ended_between_two_dumps_is_one_whole_row() -> None:
    kernel = Kernel(is_timed=True)
    kernel.open(1)
    kernel.send(1, 4)
    kernel.end(1)
    kernel.dump()
    kernel.report()
    (row,) = kernel.reports[-1]
    assert row["is_first"]
    assert row["is_final"]
    assert row["original_bytes"] == 460
    assert END_REASONS[row["end_reason"]] == "closed"


def test_what_old_connections_carried_before_the_first_look_is_not_reported() -> None:
    table = ConnectionTable(1, 10)
    old = Connection(1, SECOND, packets=50, bytes=5000)
    table.apply_dump(entries(old.entry()), 10 * SECOND)
    (first,) = table.take_report(10 * SECOND)
    old.bytes += 70
    old.packets += 1
    table.apply_dump(entries(old.entry()), 20 * SECOND)
    (second,) = table.take_report(20 * SECOND)
    assert first["original_bytes"] == 0
    assert first["is_first"]
    assert second["original_bytes"] == 70
    assert not second["is_first"]


def test_a_connection_without_change_gives_no_row() -> None:
    kernel = Kernel(is_timed=True)
    kernel.open(1)
    kernel.dump()
    kernel.report()
    kernel.dump()
    kernel.report()
    assert len(kernel.reports[-1]) == 0


def test_a_closed_connection_that_lingers_is_final_once_and_keeps_counting() -> None:
    kernel = Kernel(is_timed=True)
    kernel.open(1)
    kernel.live[1].state = TIME_WAIT
    kernel.dump()
    kernel.report()
    kernel.send(1, 1)
    kernel.dump()
    kernel.report()
    kernel.end(1)
    kernel.dump()
    kernel.report()
    rows = np.concatenate(kernel.reports)
    assert rows["is_final"].tolist() == [True, False]
    assert rows["original_bytes"].tolist() == [60, 100]


def test_a_refused_connection_ends_by_reset() -> None:
    table = ConnectionTable(1, 10)
    table.apply_dump(entries(), 0)
    table.take_report(0)
    refused = Connection(1, SECOND, packets=1, bytes=60, state=SYN_SENT)
    row = entries(refused.entry(SECOND + 1000))
    row["status"] = 0
    row["reply_packets"] = 1
    table.apply_destroyed(row, 2 * SECOND)
    (report,) = table.take_report(2 * SECOND)
    assert END_REASONS[report["end_reason"]] == "reset"


def test_a_connection_that_vanishes_unheard_ends_as_evicted_after_two_dumps() -> None:
    kernel = Kernel(is_timed=True)
    kernel.open(1)
    kernel.dump()
    kernel.report()
    kernel.live.clear()
    for _ in range(2):
        kernel.dump()
        kernel.report()
    assert len(kernel.reports[-2]) == 0
    (row,) = kernel.reports[-1]
    assert END_REASONS[row["end_reason"]] == "evicted"
    assert row["is_final"]


def test_the_end_heard_after_a_dump_is_not_undone_by_that_dump() -> None:
    kernel = Kernel(is_timed=True)
    kernel.open(1)
    kernel.dump()
    kernel.send(1, 2)
    kernel.end(1)
    kernel.report()
    kernel.dump()
    kernel.report()
    rows = np.concatenate(kernel.reports)
    assert len(rows) == 1
    assert rows["original_bytes"][0] == 260


def test_beyond_the_capacity_connections_are_left_out_and_counted() -> None:
    table = ConnectionTable(1, 2)
    table.apply_dump(entries(*(Connection(number, SECOND, 1, 60).entry() for number in range(5))), SECOND)
    assert len(table.take_report(SECOND)) == 2
    assert table.overflow == 3


def test_a_kept_state_of_another_version_is_refused() -> None:
    table = ConnectionTable(1, 2)
    for bad in (b"x", np.zeros(3, REPORT).tobytes()):
        try:
            table.import_state(bad)
        except ValueError:
            continue
        raise AssertionError("accepted")
