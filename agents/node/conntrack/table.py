"""Connections of a node from interval to interval: what each carried since the last report, when it began and ended.

Pure: events, dumps and the clock come in as arguments. The sum of a connection's rows is exactly what the kernel
counted, whatever the order of events and dumps, and over a restart when the state is kept.
"""

import dataclasses
from typing import Final

import numpy as np

from agents.node.conntrack.beginning import Beginnings
from agents.node.conntrack.end import end_reasons
from agents.node.conntrack.ending import Endings, are_copies
from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.fresh import Instants, Origin, Unknown
from agents.node.conntrack.identity import Flags, Positions, identities_of, keys_of, ranks_of
from agents.node.conntrack.live import (
    LIVE,
    Live,
    end,
    find,
    have_fallen,
    mark_evicted,
    note_absent,
    note_gone,
    note_over,
    show,
    take_rows,
)
from agents.node.conntrack.state import TableState, pack_state, unpack_state
from agents.node.report.columns import REPORT, Reports
from agents.node.report.rows import choose, join, remove, replace

_FORGOTTEN_ABSENCES: Final = 5
"""Until then a connection that was held to be gone goes on where it was, should it be back."""


_UNHEARD_NS: Final = 60 * 10**9
"""No event and no dump is applied so long after the connection began that it tells of, unless all is late."""


class ConnectionTable:
    """The connections of one node. Not thread-safe."""

    def __init__(self, node_seed: int, capacity: int) -> None:
        """``node_seed`` tells nodes apart in connection ids; what exceeds ``capacity`` is counted and left out."""
        self._seed = np.uint64(node_seed & 0xFFFF_FFFF_FFFF_FFFF)
        self._capacity = capacity
        self._live: Live = np.zeros(0, LIVE)
        self._finished: list[Live] = []
        self._beginnings = Beginnings(capacity)
        self._endings = Endings()
        self._ended: list[tuple[Entries, int]] = []
        self._ended_count = 0
        self._began_at_ns = 0
        self._is_based = False
        self.overflow = 0
        """Entries that were left out since the capacity was reached; one that stays out counts in every dump."""

    def __len__(self) -> int:
        return len(self._live)

    def apply_new(self, entries: Entries, now_ns: int) -> None:
        """Take in NEW events: connections that count from zero."""
        self._begin_at(now_ns)
        self._beginnings.add(entries, now_ns)

    def apply_destroyed(self, entries: Entries, now_ns: int) -> None:
        """Take in DESTROY events, with final counters; at most ``capacity`` of them between two reports."""
        self._begin_at(now_ns)
        taken = entries[: max(self._capacity - self._ended_count, 0)]
        self.overflow += len(entries) - len(taken)
        if len(taken):
            self._ended.append((taken, now_ns))
            self._ended_count += len(taken)

    def apply_dump(self, entries: Entries, now_ns: int) -> None:
        """Take in all entries of the namespace; what the first dump shows is counted from there."""
        self._begin_at(now_ns)
        self._settle()
        shown = _unknown(entries, np.full(len(entries), now_ns))
        _, is_known = find(self._live, shown.identities)
        dying = self._endings.are_told(shown, is_known, self._beginnings)
        if dying.any():
            shown = shown.chosen(~dying)
        unknown = self._reconcile(shown, now_ns)
        fresh = self._origin().begin(unknown)
        show(fresh, slice(None), unknown.entries, now_ns)
        note_over(fresh, now_ns)
        self._join(fresh)
        never_shown = self._beginnings.drop_shown(shown.keys)
        self._finished.append(self._origin().never_shown(never_shown, now_ns))
        self._is_based = True

    def take_report(self, now_ns: int) -> Reports:  # noqa: ARG002 - every row has an instant of its own
        """Rows for everything that changed since the last report, and for what ended."""
        self._settle()
        rows = join([take_rows(self._live), take_rows(self._all_finished())], REPORT)
        self._finished.clear()
        self._endings.turn()
        self._ended_count = 0
        return rows

    def export_state(self) -> bytes:
        """Everything that the next report depends on, to be kept over a restart."""
        self._settle()
        return pack_state(
            TableState(
                live=self._live,
                finished=self._all_finished(),
                beginnings=self._beginnings.all(),
                endings=self._endings.all(),
                began_at_ns=self._began_at_ns,
                is_based=self._is_based,
            )
        )

    def import_state(self, data: bytes) -> None:
        """Go on from an exported state; no bytes are no state. Raises ValueError when it is none."""
        if not data:
            return
        state = unpack_state(data)
        self._live, self._finished = state.live, [state.finished]
        self._beginnings.restore(state.beginnings)
        self._endings.restore(state.endings)
        self._began_at_ns, self._is_based = state.began_at_ns, state.is_based

    def _begin_at(self, now_ns: int) -> None:
        """Where the table begins; should the clock be set back to before that, what begins from now on is not older."""
        if not self._began_at_ns:
            self._began_at_ns = now_ns
        elif now_ns < self._began_at_ns:
            self._began_at_ns = now_ns - _UNHEARD_NS

    def _origin(self) -> Origin:
        return Origin(self._seed, self._began_at_ns, self._is_based, self._beginnings)

    def _all_finished(self) -> Live:
        return join(self._finished, LIVE)

    def _settle(self) -> None:
        """Apply the ends that were heard of."""
        if not self._ended:
            return
        at_ns = np.repeat([at for _, at in self._ended], [len(entries) for entries, _ in self._ended])
        lot = _unknown(join([entries for entries, _ in self._ended], ENTRY), at_ns)
        self._ended.clear()
        _, is_known = find(self._live, lot.identities)
        told = self._endings.are_told(lot, is_known, self._beginnings)
        lot, is_known = lot.chosen(~told), is_known[~told]
        copies = are_copies(lot.entries, lot.identities, self._beginnings.count(lot.keys) + is_known)
        lot, is_known = lot.chosen(~copies), is_known[~copies]
        ranks = ranks_of(lot.identities)
        # Without times a beginning beside a known connection may be the next one's, which must not be taken for it.
        is_answer = (lot.entries["started_at_ns"] > 0) | ~is_known | (ranks > 0)
        # No beginning that waits is a known connection's own: the first is of the one that follows it.
        nth = np.maximum(ranks - is_known, 0)
        for chosen in (ranks == 0, ranks > 0):  # the first may be known; what has its identity after it is not
            if chosen.any():
                self._finish(dataclasses.replace(lot.chosen(chosen), nth=nth[chosen]))
        self._endings.add(lot.entries, lot.identities)
        self._beginnings.drop_ended(lot.keys[is_answer])

    def _finish(self, lot: Unknown) -> None:
        """Move connections from the live to the finished."""
        positions, goes_on, has_zeroed = self._match(lot)
        entries = lot.entries
        rows = self._origin().begin(dataclasses.replace(lot, has_zeroed=has_zeroed))
        replace(rows, goes_on, choose(self._live, positions[goes_on]))
        stopped = np.where(entries["stopped_at_ns"] > 0, entries["stopped_at_ns"], lot.at_ns)
        show(rows, slice(None), entries, stopped)
        end(rows, stopped, end_reasons(entries, rows["tcp_state"]))
        self._finished.append(rows)
        self._retire(positions[has_zeroed], lot.at_ns[has_zeroed])
        self._remove(positions[goes_on | has_zeroed])

    def _reconcile(self, shown: Unknown, now_ns: int) -> Unknown:
        """Bring the live connections up to date; return those that are not among them and have room."""
        positions, goes_on, has_zeroed = self._match(shown)
        note_absent(self._live)
        show(self._live, positions[goes_on], choose(shown.entries, goes_on), now_ns)
        note_over(self._live, now_ns)
        note_gone(self._live, now_ns)
        zeroed = np.unique(positions[has_zeroed])
        self._retire(zeroed, now_ns)
        forgotten = np.flatnonzero(self._live["absences"] >= _FORGOTTEN_ABSENCES)
        self._finished.append(choose(self._live, forgotten))
        self._remove(np.concatenate([zeroed, forgotten]))
        others = np.flatnonzero(~goes_on)
        others = others[ranks_of(shown.identities[others][::-1])[::-1] == 0]  # of two of the same, as it was last
        room = max(self._capacity - len(self._live), 0)
        self.overflow += max(len(others) - room, 0)
        return dataclasses.replace(shown, has_zeroed=has_zeroed).chosen(others[:room])

    def _match(self, lot: Unknown) -> tuple[Positions, Flags, Flags]:
        """Position among the live ones; which of them go on there, and which were set to zero."""
        positions, is_known = find(self._live, lot.identities)
        has_zeroed = np.zeros(len(positions), np.bool_)
        if is_known.any():
            has_zeroed = is_known & have_fallen(self._live, positions, lot.entries)
        return positions, is_known & ~has_zeroed, has_zeroed

    def _retire(self, positions: Positions, at_ns: int | Instants) -> None:
        """What another connection took the place of has ended, whoever did not say so."""
        if len(positions):
            retired = choose(self._live, positions)
            mark_evicted(retired, at_ns)
            self._finished.append(retired)

    def _remove(self, positions: Positions) -> None:
        if len(positions):
            self._live = remove(self._live, positions)

    def _join(self, fresh: Live) -> None:
        if len(fresh):
            joined = join([self._live, fresh], LIVE)
            self._live = choose(joined, np.argsort(joined["identity"], kind="stable"))


def _unknown(entries: Entries, at_ns: Instants) -> Unknown:
    keys = keys_of(entries)
    nothing = np.zeros(len(entries), np.int64)
    return Unknown(entries, keys, identities_of(entries, keys), at_ns, nothing, nothing.astype(np.bool_))
