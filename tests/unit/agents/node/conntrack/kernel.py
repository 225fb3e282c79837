"""A kernel as the table sees it: connections that count, events that may be lost or told twice, dumps."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.table import ConnectionTable
from agents.node.report.columns import TCP_STATES, Reports

SECOND = 1_000_000_000
CAPACITY = 1000
_HEARD_AFTER_NS = 1_000_000
ESTABLISHED, TIME_WAIT, CLOSE, SYN_SENT = (
    TCP_STATES.index(name) for name in ("established", "time_wait", "close", "syn_sent")
)


@dataclass
class Connection:
    number: int
    started_at_ns: int
    packets: int = 0
    bytes: int = 0
    state: int = ESTABLISHED
    baseline: int = 0
    """Bytes before the table's first look."""
    seen: int = 0
    """Bytes that a dump or the end has told."""

    def entry(self, stopped_at_ns: int = 0, **changes: int) -> Entries:
        row = np.zeros(1, ENTRY)
        values = {
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
        for name, value in (values | changes).items():
            row[name] = value
        return row


def entries(*rows: Entries) -> Entries:
    return np.concatenate([np.zeros(0, ENTRY), *rows])


@dataclass
class Kernel:
    """``is_timed``: nf_conntrack_timestamp is on."""

    is_timed: bool = True
    old: int = 0
    """Connections that are there before the table."""
    now: int = 1000 * SECOND
    live: dict[int, Connection] = field(default_factory=dict)
    ended: list[Connection] = field(default_factory=list)
    lost: list[Connection] = field(default_factory=list)
    """Ended, and nobody said so."""
    reports: list[Reports] = field(default_factory=list)
    table: ConnectionTable = field(default_factory=lambda: ConnectionTable(1, CAPACITY))
    last_end: Entries | None = None
    last_end_report: int = 0
    is_looked_at: bool = False

    def __post_init__(self) -> None:
        for number in range(self.old):
            connection = Connection(number, self._start() - 500 * SECOND * self.is_timed, 50, 5000, baseline=5000)
            self.live[number] = connection

    def open(self, number: int, *, is_heard: bool = True) -> None:
        if number in self.live:
            return
        connection = Connection(number, self._start(), packets=1, bytes=60)
        self.live[number] = connection
        if is_heard:
            new = connection.entry(original_packets=0, original_bytes=0, started_at_ns=0, has_counters=False)
            self.table.apply_new(new, self.now + _HEARD_AFTER_NS)

    def send(self, number: int, count: int) -> None:
        if number in self.live:
            self.live[number].packets += count
            self.live[number].bytes += 100 * count
            self._note_baseline(self.live[number])

    def end(self, number: int, *, is_heard: bool = True, is_dying: bool = False) -> None:
        """``is_dying``: the entry is in a dump that begins after its end was told."""
        connection = self.live.pop(number, None)
        if connection is None:
            return
        self._note_baseline(connection)
        connection.state = TIME_WAIT
        if not is_heard:
            self.lost.append(connection)
            return
        connection.seen = connection.bytes
        self.ended.append(connection)
        self.last_end = connection.entry(self.now)
        self.last_end_report = len(self.reports)
        self.table.apply_destroyed(self.last_end, self.now)
        if is_dying:
            self.dump(connection)

    def linger(self, number: int) -> None:
        if number in self.live:
            self.live[number].state = TIME_WAIT

    def repeat_end(self) -> None:
        """In the interval after it at the latest."""
        if self.last_end is not None and len(self.reports) - self.last_end_report < 2:
            self.table.apply_destroyed(self.last_end, self.now)

    def dump(self, *dying: Connection) -> None:
        self.is_looked_at = True
        for connection in self.live.values():
            connection.seen = connection.bytes
        self.table.apply_dump(entries(*(c.entry() for c in (*self.live.values(), *dying))), self.now)

    def report(self) -> None:
        self.reports.append(self.table.take_report(self.now))

    def restart(self) -> None:
        state = self.table.export_state()
        self.table = ConnectionTable(1, CAPACITY)
        self.table.import_state(state)
        assert self.table.export_state() == state

    def rows(self) -> Reports:
        return np.concatenate(self.reports)

    def told(self) -> dict[int, int]:
        """Bytes of each connection id, over all reports."""
        found: dict[int, int] = defaultdict(int)
        for row in self.rows():
            found[int(row["connection_id"])] += int(row["original_bytes"])
        return found

    def _start(self) -> int:
        return self.now if self.is_timed else 0

    def _note_baseline(self, connection: Connection) -> None:
        """What an old connection carries before the first look is not the table's to tell."""
        if connection.baseline and not self.is_looked_at:
            connection.baseline = connection.bytes


def begun(capacity: int = 10) -> ConnectionTable:
    """A table that has seen an empty kernel."""
    table = ConnectionTable(1, capacity)
    table.apply_dump(entries(), SECOND)
    assert len(table.take_report(SECOND)) == 0
    return table


def shown(number: int = 1, *, size: int = 100, start: int = 2 * SECOND, state: int = ESTABLISHED) -> Entries:
    return Connection(number, start, packets=size // 100, bytes=size, state=state).entry()


def summary(rows: Any) -> list[tuple[int, bool, bool]]:
    return [(int(row["original_bytes"]), bool(row["is_first"]), bool(row["is_final"])) for row in rows]
