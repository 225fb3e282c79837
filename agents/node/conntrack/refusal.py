"""Connections that were refused, from the events of their ends, until the fast lane tells of them.

A destination that nobody listens at answers the first packet by a reset, at which conntrack removes the entry and says
so at once.
"""

from typing import Final

import numpy as np

from agents.node.conntrack.begun import SETTLING_NS, Begun
from agents.node.conntrack.end import were_refused
from agents.node.conntrack.entry import Entries
from agents.node.report.columns import END_REASONS, EVIDENCES, REPORT, TUPLES, Reports
from agents.node.report.moment import Instants, moments_end
from agents.node.report.rows import choose, join

_MAXIMUM: Final = 10_000
"""Kept between two turns of the lane: more than it tells at once by far."""
_COPIED: Final = (*(name for name, _ in TUPLES), "status", "tcp_state", "original_packets", "reply_packets")
_CONFIRMED: Final = EVIDENCES.index("confirmed")
_RESET: Final = END_REASONS.index("reset")


class Refusals:
    """Bounded; what exceeds it is counted."""

    def __init__(self, seed: int) -> None:
        """``seed``: of the node."""
        self._begun = Begun(seed)
        self._reports: list[Reports] = []
        self._count = 0
        self.overflowed = 0
        """Refused connections for which there was no room, since the start."""

    def __len__(self) -> int:
        return self._count

    def note_new(self, new: Entries, now_ns: int) -> None:
        """Take in what began, before the ends that were read with it."""
        self._begun.note_new(new, now_ns)

    def note(self, ended: Entries, now_ns: int) -> None:
        """Take those of the ended connections that were refused."""
        is_refused = were_refused(ended)
        if not is_refused.any():
            return
        refused = choose(ended, is_refused)
        self._begun.note_refused(refused, now_ns)
        kept = choose(refused, slice(max(0, _MAXIMUM - self._count)))
        self.overflowed += len(refused) - len(kept)
        self._count += len(kept)
        if len(kept):
            self._reports.append(_reports_of(kept, now_ns))

    def next_ns(self) -> int | None:
        """When ``take`` has something to give; None when nothing waits."""
        if not self._count:
            return None
        return min(int(_due_ns(reports).min()) for reports in self._reports)

    def take(self, now_ns: int) -> Reports:
        """Columns of REPORT, a row a connection; those of moments that are not over wait for the next time."""
        reports = join(self._reports, REPORT)
        is_due = _due_ns(reports) <= now_ns
        left = choose(reports, ~is_due)
        self._reports, self._count = [left] if len(left) else [], len(left)
        due = choose(reports, is_due)
        self._count_begun(due, now_ns)
        return due

    def _count_begun(self, due: Reports, now_ns: int) -> None:
        """Each is one that began, and the first of its client and destination stands for the others."""
        others = self._begun.take(self._begun.keys(due), now_ns)
        due["begun"] = [0 if count is None else 1 + count for count in others]


def _due_ns(reports: Reports) -> Instants:
    return moments_end(reports["started_at_ns"]) + SETTLING_NS


def _reports_of(ended: Entries, now_ns: int) -> Reports:
    reports = np.zeros(len(ended), REPORT)
    for name in _COPIED:
        reports[name] = ended[name]
    reports["seen_at_ns"] = reports["ended_at_ns"] = np.where(
        ended["stopped_at_ns"] > 0, ended["stopped_at_ns"], now_ns
    )
    # When it was refused, which is told at once; when it began may be long ago, and others of then are told.
    reports["started_at_ns"] = reports["seen_at_ns"]
    reports["is_first"] = reports["is_final"] = True
    reports["evidence"], reports["end_reason"], reports["attempts"] = _CONFIRMED, _RESET, 1
    return reports
