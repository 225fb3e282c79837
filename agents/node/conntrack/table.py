"""Connections of a node from interval to interval: what each carried since the last report, when it began and ended.

Pure: events, dumps and the clock come in as arguments. The sum of a connection's reports is exactly what the kernel
counted, whatever the order of events and dumps, and over a restart when the state is kept.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.end import end_reasons, is_over
from agents.node.conntrack.entry import Entries
from agents.node.conntrack.state import LIVE, Live, export_live, import_live
from agents.node.conntrack.state import keys_of as _keys_of
from agents.node.report.columns import END_REASONS, REPORT, TUPLES, Reports
from agents.node.report.key import mix

_COUNTERS: Final = ("original_packets", "original_bytes", "reply_packets", "reply_bytes")
_ACTIVE: Final = END_REASONS.index("active")
_EVICTED: Final = END_REASONS.index("evicted")
_Flags = npt.NDArray[np.bool_]
_Positions = npt.NDArray[np.int64]


class ConnectionTable:
    """The connections of one node. Not thread-safe."""

    def __init__(self, node_seed: int, capacity: int) -> None:
        """``node_seed`` tells nodes apart in connection ids; what exceeds ``capacity`` is counted and left out."""
        self._seed = np.uint64(node_seed & 0xFFFF_FFFF_FFFF_FFFF)
        self._capacity = capacity
        self._live: Live = np.zeros(0, LIVE)
        self._is_begun = False
        self._first_seen: dict[int, int] = {}
        self._destroyed: list[tuple[Entries, int, bool]] = []
        self._dump: tuple[Entries, int] | None = None
        self.overflow = 0
        """Connections that were left out since the capacity was reached."""

    def __len__(self) -> int:
        return len(self._live)

    def apply_new(self, entries: Entries, now_ns: int) -> None:
        """Take in NEW events; what matters is the instant, since their counters come with the dump or the end."""
        if len(self._first_seen) < self._capacity:
            self._first_seen.update(dict.fromkeys(_keys_of(entries).tolist(), now_ns))

    def apply_destroyed(self, entries: Entries, now_ns: int) -> None:
        """Take in DESTROY events, with final counters."""
        if len(entries):
            self._destroyed.append((entries, now_ns, self._dump is not None))

    def apply_dump(self, entries: Entries, now_ns: int) -> None:
        """Take in all entries of the namespace."""
        self._dump = (entries, now_ns)

    def take_report(self, now_ns: int) -> Reports:
        """Rows for everything that changed since the last report, and for what ended."""
        rows = [self._end(entries, at_ns) for entries, at_ns, is_after in self._destroyed if not is_after]
        if self._dump is not None:
            entries, at_ns = self._dump
            rows.append(self._reconcile(self._without_ended(entries), at_ns))
            rows += [self._end(entries, at_ns) for entries, at_ns, is_after in self._destroyed if is_after]
            self._is_begun = True
        elif any(is_after for _, _, is_after in self._destroyed):
            rows += [self._end(entries, at_ns) for entries, at_ns, is_after in self._destroyed if is_after]
        self._destroyed.clear()
        self._dump = None
        self._first_seen = {key: at for key, at in self._first_seen.items() if now_ns - at < _REMEMBERED_NS}
        return np.concatenate(rows) if rows else np.zeros(0, REPORT)

    def export_state(self) -> bytes:
        """Everything that the next report depends on, to be kept over a restart."""
        return export_live(self._live) if self._is_begun else b""

    def import_state(self, data: bytes) -> None:
        """Go on from an exported state. Raises ValueError when it is none."""
        if data:
            self._live = import_live(data)
            self._is_begun = True

    def _without_ended(self, entries: Entries) -> Entries:
        """A dump without the entries whose end was heard of after it."""
        late = [destroyed for destroyed, _, is_after in self._destroyed if is_after]
        if not late or not len(entries):
            return entries
        ended = np.concatenate(late)
        kept: Entries = entries[~np.isin(_identities_of(entries), _identities_of(ended))]
        return kept

    def _end(self, entries: Entries, now_ns: int) -> Reports:
        """Rows of connections that are no more."""
        entries = _last_of_each(entries)
        positions, is_known = self._find(entries)
        known = self._at(positions)
        rows = self._rows(entries, known, is_known, now_ns)
        stopped = np.where(entries["stopped_at_ns"] > 0, entries["stopped_at_ns"], now_ns)
        rows["seen_at_ns"] = rows["ended_at_ns"] = stopped
        rows["is_final"] = ~(is_known & known["was_final"])
        rows["end_reason"] = end_reasons(entries)
        is_told = rows["is_final"] | _has_traffic(rows)
        self._live = np.delete(self._live, positions[is_known])
        told: Reports = rows[is_told]
        return told

    def _reconcile(self, entries: Entries, now_ns: int) -> Reports:
        """Rows of connections that go on, and of those that are gone without a word."""
        entries = self._within_capacity(_last_of_each(entries))
        positions, is_known = self._find(entries)
        known = self._at(positions)
        rows = self._rows(entries, known, is_known, now_ns)
        if not self._is_begun:
            self._take_baseline(entries, rows)
        is_ending = is_over(entries)
        was_final = is_known & known["was_final"]
        rows["seen_at_ns"] = now_ns
        rows["is_final"] = is_ending & ~was_final
        rows["ended_at_ns"] = np.where(is_ending, now_ns, 0)
        rows["end_reason"] = np.where(is_ending, end_reasons(entries), _ACTIVE)
        is_told = _has_traffic(rows) | rows["is_first"] | rows["is_final"]
        gone = self._missing(positions[is_known], now_ns)
        self._remember(entries, rows, was_final | rows["is_final"])
        return np.concatenate([rows[is_told], gone])

    def _rows(self, entries: Entries, known: Live, is_known: _Flags, now_ns: int) -> Reports:
        """Rows with what was carried since the last report."""
        rows = np.zeros(len(entries), REPORT)
        for name, _ in TUPLES:
            rows[name] = entries[name]
        rows["status"], rows["tcp_state"] = entries["status"], entries["tcp_state"]
        for name in _COUNTERS:
            rows[name] = entries[name] - np.where(is_known, known[name], 0).astype(np.uint64)
        rows["is_first"] = ~is_known
        seen = self._first_seen
        first_seen = np.array([seen.get(key, now_ns) for key in _keys_of(entries).tolist()], np.int64)
        started = np.where(entries["started_at_ns"] > 0, entries["started_at_ns"], first_seen)
        rows["started_at_ns"] = np.where(is_known, known["started_at_ns"], started)
        rows["connection_id"] = np.where(is_known, known["connection_id"], self._identify(entries, started))
        return rows

    def _identify(self, entries: Entries, started_at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        seed = np.full(len(entries), self._seed, np.uint64)
        return mix(seed, _keys_of(entries), started_at_ns.view(np.uint64)).view(np.int64)

    def _find(self, entries: Entries) -> tuple[_Positions, _Flags]:
        """Position of each entry among the live ones, and whether it is there and still the same connection."""
        if not len(self._live):
            return np.zeros(len(entries), np.int64), np.zeros(len(entries), np.bool_)
        keys = _keys_of(entries)
        positions = np.searchsorted(self._live["key"], keys)
        positions[positions == len(self._live)] = 0
        live = self._live[positions]
        is_known = live["key"] == keys
        has_start = (live["kernel_start_ns"] > 0) & (entries["started_at_ns"] > 0)
        is_known &= ~has_start | (live["kernel_start_ns"] == entries["started_at_ns"])
        for name in _COUNTERS:  # counters that fell belong to another connection with the same tuple
            is_known &= live[name] <= entries[name]
        return positions, is_known

    def _at(self, positions: _Positions) -> Live:
        """The live connections at these positions; blanks where nothing is live."""
        return self._live[positions] if len(self._live) else np.zeros(len(positions), LIVE)

    def _take_baseline(self, entries: Entries, rows: Reports) -> None:
        """At the very first look, what old connections carried before it is not ours to report."""
        seen = self._first_seen
        is_old = np.array([key not in seen for key in _keys_of(entries).tolist()], np.bool_)
        for name in _COUNTERS:
            rows[name] = np.where(is_old, 0, rows[name])

    def _missing(self, present: _Positions, now_ns: int) -> Reports:
        """Connections that two dumps in a row do not show and whose end nobody told."""
        is_absent = np.ones(len(self._live), np.bool_)
        is_absent[present] = False
        self._live["absences"][is_absent] += 1
        is_gone = is_absent & (self._live["absences"] > 1)
        gone = self._live[is_gone & ~self._live["was_final"]]
        rows = np.zeros(len(gone), REPORT)
        for name in (*(name for name, _ in TUPLES), "connection_id", "started_at_ns", "status", "tcp_state"):
            rows[name] = gone[name]
        rows["seen_at_ns"] = rows["ended_at_ns"] = now_ns
        rows["is_final"] = True
        rows["end_reason"] = _EVICTED
        self._live = np.delete(self._live, np.flatnonzero(is_gone))
        return rows

    def _remember(self, entries: Entries, rows: Reports, was_final: _Flags) -> None:
        """Make these entries the live ones; those absent from one dump stay for another."""
        live = np.zeros(len(entries), LIVE)
        for name in (*(name for name, _ in TUPLES), *_COUNTERS, "status", "tcp_state"):
            live[name] = entries[name]
        live["key"] = _keys_of(entries)
        live["kernel_start_ns"] = entries["started_at_ns"]
        for name in ("connection_id", "started_at_ns"):
            live[name] = rows[name]
        live["was_final"] = was_final
        absent = self._live[~np.isin(self._live["key"], live["key"])]
        absent = absent[absent["absences"] > 0]
        joined = np.concatenate([live, absent])
        self._live = joined[np.argsort(joined["key"], kind="stable")]

    def _within_capacity(self, entries: Entries) -> Entries:
        self.overflow += max(len(entries) - self._capacity, 0)
        return entries[: self._capacity]


_REMEMBERED_NS: Final = 60 * 10**9
"""A NEW event whose connection no dump and no end has shown for so long was of a connection that never was."""


def _has_traffic(rows: Reports) -> _Flags:
    carried: _Flags = (rows["original_packets"] | rows["reply_packets"]) > 0
    return carried


def _identities_of(entries: Entries) -> npt.NDArray[np.uint64]:
    """Key and start: tells a connection from the next one with the same tuple where the kernel gives times."""
    return mix(_keys_of(entries), entries["started_at_ns"].view(np.uint64))


def _last_of_each(entries: Entries) -> Entries:
    """An entry that is there twice counts once, as it was last."""
    identities = _identities_of(entries)[::-1]
    _, positions = np.unique(identities, return_index=True)
    if len(positions) == len(entries):
        return entries
    return entries[::-1][np.sort(positions)][::-1]
