"""Remembers what is known of each connection's sockets while the connection lives.

A socket is seen several times: when its connection is new, at the ends of intervals, when it closes (then without
inode and cgroup). The latest figures and the last known inode and cgroup stand. Bounded: sockets that match no
connection leave after two intervals, those unused longest when there are too many.
"""

import numpy as np
import numpy.typing as npt

from agents.node.report.columns import SOCKET, Reports, Sockets
from agents.node.report.key import Keys, destination_socket_keys, socket_keys, source_socket_keys
from agents.node.report.rows import choose, join, replace

Positions = npt.NDArray[np.intp]
NOWHERE = -1
_KNOWN = np.dtype(
    [
        ("key", "u8"),
        ("socket", SOCKET),
        ("reported_retransmits", "u4"),  # how much of total_retransmits earlier reports hold
        ("noted_in", "u4"),  # turn in which it was last seen or used
        ("is_matched", "?"),  # a connection of it was reported
    ]
)
_RETRANSMITS = np.dtype([("key", "u8"), ("reported", "u4")])
_UNMATCHED_TURNS = 2
_FIGURES = ("rtt_us", "rtt_var_us", "total_retransmits", "lost", "delivery_rate", "has_figures")


class KnownSockets:
    """Sockets by key, sorted, so that a whole report is joined at once."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._known = np.zeros(0, _KNOWN)
        self._noted: list[Sockets] = []
        self._reported_before: dict[int, int] = {}
        self._turn = 0
        self.forgotten = 0
        """Sockets given up for lack of room, since the start."""

    def __len__(self) -> int:
        return len(self._known)

    def note(self, sockets: Sockets) -> None:
        """Remember what was just seen of sockets."""
        if len(sockets):
            self._noted.append(sockets)

    def settle(self) -> None:
        """Merge all that was noted; call before matching."""
        if not self._noted:
            return
        seen = join(self._noted, SOCKET)
        self._noted.clear()
        rows = np.zeros(len(seen), _KNOWN)
        rows["key"], rows["noted_in"] = socket_keys(seen), self._turn
        replace(rows["socket"], slice(None), seen)
        merged = _merge(join([self._known, rows], _KNOWN))
        if self._reported_before:
            self._restore(merged)
        self._known = merged

    def inodes(self) -> set[int]:
        """Inodes of all known sockets."""
        return {int(inode) for inode in np.unique(self._known["socket"]["inode"])} - {0}

    def match(self, reports: Reports) -> tuple[Positions, Positions]:
        """Positions of each row's source and destination socket, NOWHERE where none is known."""
        source = self._find(reports, source_socket_keys(reports), ("original_source", "original_destination"))
        destination = self._find(reports, destination_socket_keys(reports), ("reply_source", "reply_destination"))
        for found in (source, destination):
            used = found[found != NOWHERE]
            self._known["is_matched"][used] = True
            self._known["noted_in"][used] = self._turn
        return source, destination

    def sockets_at(self, positions: Positions) -> Sockets:
        """Copies of the sockets; NOWHERE gives a row of zeros."""
        sockets = np.zeros(len(positions), SOCKET)
        is_found = positions != NOWHERE
        replace(sockets, is_found, choose(self._known["socket"], positions[is_found]))
        return sockets

    def take_retransmits(self, positions: Positions) -> npt.NDArray[np.int64]:
        """Segments retransmitted since they were last taken; a socket named twice counts once."""
        taken = np.zeros(len(positions), np.int64)
        unique, first = np.unique(positions, return_index=True)
        is_found = unique != NOWHERE
        unique, first = unique[is_found], first[is_found]
        total = self._known["socket"]["total_retransmits"][unique].astype(np.int64)
        reported = self._known["reported_retransmits"][unique].astype(np.int64)
        # A smaller total is a new socket on the same ends.
        taken[first] = np.where(total >= reported, total - reported, total)
        self._known["reported_retransmits"][unique] = total
        return taken

    def forget(self, reports: Reports) -> None:
        """Drop the sockets of connections that ended, unmatched ones, and what exceeds the capacity."""
        # A denied attempt's socket may live on and be reported again: its retransmits must not count twice.
        ended = choose(reports, reports["is_final"] & (reports["evidence"] == 0))
        ended_keys = np.concatenate([source_socket_keys(ended), destination_socket_keys(ended)])
        is_gone = np.isin(self._known["key"], ended_keys)
        is_gone |= ~self._known["is_matched"] & (self._known["noted_in"] + _UNMATCHED_TURNS <= self._turn)
        known = choose(self._known, ~is_gone)
        excess = len(known) - self._capacity
        if excess > 0:
            newest = np.argsort(known["noted_in"], kind="stable")[excess:]
            known = choose(known, np.sort(newest))
            self.forgotten += excess
        self._known = known
        self._turn += 1

    def export_state(self) -> bytes:
        """What a restarted agent must know so as not to count a retransmit twice."""
        counted = choose(self._known, self._known["reported_retransmits"] > 0)
        rows = np.zeros(len(counted), _RETRANSMITS)
        rows["key"], rows["reported"] = counted["key"], counted["reported_retransmits"]
        awaited = np.array(list(self._reported_before.items())[: self._capacity], np.uint64).reshape(-1, 2)
        unseen = np.zeros(len(awaited), _RETRANSMITS)
        unseen["key"], unseen["reported"] = awaited[:, 0], awaited[:, 1]
        return rows.tobytes() + unseen.tobytes()

    def import_state(self, data: bytes) -> None:
        """Take over what ``export_state`` gave; a torn tail is left out."""
        whole = len(data) - len(data) % _RETRANSMITS.itemsize
        rows = np.frombuffer(data[:whole], _RETRANSMITS)[: self._capacity]
        self._reported_before = dict(zip(rows["key"].tolist(), rows["reported"].tolist(), strict=True))

    def _restore(self, known: npt.NDArray[np.void]) -> None:
        before = np.array(sorted(self._reported_before), np.uint64)
        for position in np.flatnonzero(np.isin(known["key"], before)).tolist():
            known["reported_retransmits"][position] = self._reported_before.pop(int(known["key"][position]))

    def _find(self, reports: Reports, keys: Keys, ends: tuple[str, str]) -> Positions:
        known = self._known
        if not len(known):
            return np.full(len(reports), NOWHERE, np.intp)
        positions = np.minimum(np.searchsorted(known["key"], keys), len(known) - 1)
        candidates = choose(known, positions)
        sockets = candidates["socket"]
        # Equal keys of different ends can be made on purpose; a process must not be named by them.
        is_same = (candidates["key"] == keys) & (sockets["protocol"] == reports["protocol"])
        for own, end in zip(("local", "remote"), ends, strict=True):
            for part in ("high", "low", "port"):
                is_same &= sockets[f"{own}_{part}"] == reports[f"{end}_{part}"]
        return np.where(is_same, positions, NOWHERE)


def _merge(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """One row a key: the last, with the last known inode, cgroup, process and figures of the others."""
    rows = choose(rows, np.argsort(rows["key"], kind="stable"))
    starts = np.flatnonzero(np.concatenate([[True], rows["key"][1:] != rows["key"][:-1]]))
    merged = choose(rows, np.append(starts[1:], len(rows)) - 1)
    for fields in (("inode",), ("cgroup_id",), ("process_id",), _FIGURES):
        chosen = _last_where(rows["socket"][fields[-1]] != 0, starts)
        is_known = chosen != NOWHERE
        for field in fields:
            merged["socket"][field][is_known] = rows["socket"][field][chosen[is_known]]
    merged["reported_retransmits"] = np.maximum.reduceat(rows["reported_retransmits"], starts)
    merged["is_matched"] = np.logical_or.reduceat(rows["is_matched"], starts)
    return merged


def _last_where(is_known: npt.NDArray[np.bool_], starts: Positions) -> Positions:
    places = np.where(is_known, np.arange(len(is_known)), NOWHERE)
    last: Positions = np.maximum.reduceat(places, starts)
    return last
