"""Counts exchanges per client, server, name, type and code, within a bound, and gives them as columns."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from agents.node.attempt.address import Address
from agents.node.payload.packet import End
from agents.node.report.address import render_addresses
from agents.node.report.key import mix
from agents.publish.column import Column, ListColumn, LongColumn, TextColumn

_MAXIMUM_ROWS: Final = 10_000
_MAXIMUM_NAMELESS: Final = 1_000
"""Rows of clients whose names found no room; a flood may forge its source, too."""
_SAMPLE: Final = 64
_NOBODY: Final = End(0, 0, 0)
_MAXIMUM_ANSWERS: Final = 32
_MAXIMUM_TEXT_BYTES: Final = 8 << 20
"""Of an interval's names and answers, which lie in memory five times while they are encoded. Ten thousand names with
half a dozen answers each take less."""
_TEXT_BYTES: Final = 64
"""What a text costs beside its characters."""


class RowKey(NamedTuple):
    """What one row of dns.raw stands for."""

    client: Address
    server: End
    dialled: End
    protocol: int
    name: str
    type: str
    response_code: str


@dataclass(slots=True)
class _Row:
    first_seen_at_ns: int
    last_seen_at_ns: int
    count: int = 0
    timed: int = 0
    latency_sum_us: int = 0
    latency_max_us: int = 0
    truncated: int = 0
    time_to_live_seconds: int = 0
    latencies: list[int] = field(default_factory=list)
    answers: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One query and what became of it."""

    seen_at_ns: int
    latency_us: int | None
    answers: tuple[str, ...]
    time_to_live_seconds: int
    is_truncated: bool


class Aggregate:
    """The rows of the interval that is under way."""

    def __init__(self) -> None:
        self._rows: dict[RowKey, _Row] = {}
        self._nameless = 0
        self._text_bytes = 0
        self.overflowed = 0
        """Exchanges that were counted without their names, or some of their answers, since the start."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, key: RowKey, exchange: Exchange) -> None:
        """Count an exchange; one whose name finds no room counts for its client alone."""
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) - self._nameless >= _MAXIMUM_ROWS or self._is_full:
                self.add_nameless(key.client, key.protocol, exchange.seen_at_ns)
                return
            row = self._rows[key] = _Row(exchange.seen_at_ns, exchange.seen_at_ns)
            self._text_bytes += len(key.name) + _TEXT_BYTES
        _count(row, exchange)
        self._add_answers(row, exchange.answers)

    def add_nameless(self, client: Address, protocol: int, seen_at_ns: int) -> None:
        """Count an exchange of which nothing else is kept."""
        self.overflowed += 1
        key = RowKey(client, _NOBODY, _NOBODY, protocol, "", "", "")
        row = self._rows.get(key)
        if row is None:
            if self._nameless >= _MAXIMUM_NAMELESS:
                return
            self._nameless += 1
            row = self._rows[key] = _Row(seen_at_ns, seen_at_ns)
        _count(row, Exchange(seen_at_ns, None, (), 0, is_truncated=False))

    def take(self) -> dict[str, Column]:
        """Columns of dns_exchange; the next interval begins without."""
        keys, rows = list(self._rows), list(self._rows.values())
        self._rows, self._nameless, self._text_bytes = {}, 0, 0
        high, low = (np.array([key.client[word] for key in keys], np.uint64) for word in (0, 1))
        columns: dict[str, Column] = {"client_key": LongColumn(mix(high, low).view(np.int64))}
        columns["client_address"] = TextColumn(*render_addresses(high, low))
        for side in ("server", "dialled"):
            ends: list[End] = [getattr(key, side) for key in keys]
            columns[f"{side}_address"] = TextColumn(
                *render_addresses(
                    np.array([end.high for end in ends], np.uint64), np.array([end.low for end in ends], np.uint64)
                )
            )
            columns[f"{side}_port"] = LongColumn(np.array([end.port for end in ends], np.int64))
        columns["protocol"] = LongColumn(np.array([key.protocol for key in keys], np.int64))
        for name in ("name", "type", "response_code"):
            columns[name] = _texts([getattr(key, name) for key in keys])
        for name in (
            "count", "timed", "latency_sum_us", "latency_max_us", "time_to_live_seconds", "first_seen_at_ns",
            "last_seen_at_ns", "truncated",
        ):  # fmt: skip
            columns[name] = LongColumn(np.array([getattr(row, name) for row in rows], np.int64))
        return columns | _lists(rows)

    @property
    def _is_full(self) -> bool:
        return self._text_bytes >= _MAXIMUM_TEXT_BYTES

    def _add_answers(self, row: _Row, answers: tuple[str, ...]) -> None:
        for answer in answers:
            if answer in row.answers or len(row.answers) >= _MAXIMUM_ANSWERS:
                continue
            if self._is_full:
                self.overflowed += 1
                return
            self._text_bytes += len(answer) + _TEXT_BYTES
            row.answers[answer] = None


def _count(row: _Row, exchange: Exchange) -> None:
    if exchange.answers and (not row.answers or exchange.time_to_live_seconds < row.time_to_live_seconds):
        row.time_to_live_seconds = exchange.time_to_live_seconds
    row.count += 1
    row.first_seen_at_ns = min(row.first_seen_at_ns, exchange.seen_at_ns)
    row.last_seen_at_ns = max(row.last_seen_at_ns, exchange.seen_at_ns)
    row.truncated += exchange.is_truncated
    if exchange.latency_us is not None:
        row.timed += 1
        row.latency_sum_us += exchange.latency_us
        row.latency_max_us = max(row.latency_max_us, exchange.latency_us)
        if len(row.latencies) < _SAMPLE:
            row.latencies.append(exchange.latency_us)


def _texts(texts: list[str]) -> TextColumn:
    table: dict[str, int] = {}
    places = [table.setdefault(text, len(table)) for text in texts]
    return TextColumn(list(table), np.array(places, np.intp))


def _lists(rows: list[_Row]) -> dict[str, Column]:
    latencies = np.array([latency for row in rows for latency in row.latencies], np.int64)
    return {
        "latency_us": ListColumn(LongColumn(latencies), np.array([len(row.latencies) for row in rows], np.intp)),
        "answers": ListColumn(
            _texts([text for row in rows for text in row.answers]),
            np.array([len(row.answers) for row in rows], np.intp),
        ),
    }
