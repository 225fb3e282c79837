"""What is known of a connection: its totals as last seen and as last reported."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.end import is_over, lingering_end_reasons
from agents.node.conntrack.entry import COUNTERS, Entries
from agents.node.conntrack.identity import Flags, Positions
from agents.node.report.columns import END_REASONS, REPORT, TCP_STATES, TUPLES, Reports
from agents.node.report.rows import choose, replace

TUPLE_NAMES: Final = tuple(name for name, _ in TUPLES)
_ACTIVE, _EVICTED = END_REASONS.index("active"), END_REASONS.index("evicted")
_GONE_ABSENCES: Final = 2
"""A dump of a table that is being resized may miss an entry; two in a row do not."""
_MAXIMUM_ABSENCES: Final = 255
_NO_STATE: Final = TCP_STATES.index("none")

LIVE: Final = np.dtype(
    [
        ("identity", "u8"),
        *TUPLES,
        ("connection_id", "i8"),
        ("status", "u4"),
        ("tcp_state", "u1"),
        *((name, "u8") for name in COUNTERS),  # totals as last seen
        *((f"reported_{name}", "u8") for name in COUNTERS),
        ("started_at_ns", "i8"),
        ("seen_at_ns", "i8"),
        ("ended_at_ns", "i8"),
        ("end_reason", "u1"),
        ("is_told", "?"),  # a row was reported
        ("is_end_due", "?"),  # its end is known and not reported
        ("is_end_told", "?"),
        ("absences", "u1"),  # dumps in a row that did not show it
    ]
)
Live = npt.NDArray[np.void]


def find(live: Live, identities: npt.NDArray[np.uint64]) -> tuple[Positions, Flags]:
    """Position of each identity in ``live``, which is sorted by it, and whether it is there."""
    if not len(live):
        return np.zeros(len(identities), np.int64), np.zeros(len(identities), np.bool_)
    known = live["identity"]
    positions = np.minimum(np.searchsorted(known, identities), len(live) - 1)
    return positions, known[positions] == identities


def have_fallen(live: Live, at: Positions, entries: Entries) -> Flags:
    """Counters that fell were set to zero by somebody."""
    fallen = np.zeros(len(entries), np.bool_)
    for name in COUNTERS:
        fallen |= entries[name] < live[name][at]
    result: Flags = fallen & entries["has_counters"]
    return result


def show(live: Live, at: Positions | slice, entries: Entries, now_ns: int | npt.NDArray[np.int64]) -> None:
    """Take over what entries say of the connections at ``at``."""
    has_counters = entries["has_counters"]
    for name in COUNTERS:
        live[name][at] = entries[name] if has_counters.all() else np.where(has_counters, entries[name], live[name][at])
    is_silent = entries["tcp_state"] == _NO_STATE  # older kernels leave the state out of the end's event
    live["tcp_state"][at] = np.where(is_silent, live["tcp_state"][at], entries["tcp_state"])
    live["status"][at] = entries["status"]
    live["seen_at_ns"][at] = now_ns
    live["absences"][at] = 0


def note_over(live: Live, now_ns: int) -> None:
    """Mark connections that a dump shows as closed; one that it shows again is not gone after all."""
    is_shown = live["absences"] == 0
    live["is_end_due"] &= ~(is_shown & (live["end_reason"] == _EVICTED))
    begins = is_over(live) & is_shown & ~live["is_end_due"] & ~live["is_end_told"]
    if begins.any():
        live["is_end_due"] |= begins
        live["ended_at_ns"][begins] = now_ns
        live["end_reason"][begins] = lingering_end_reasons(choose(live, begins))


def note_absent(live: Live) -> None:
    """Count a dump for all; whoever it shows is counted back."""
    live["absences"] += live["absences"] < _MAXIMUM_ABSENCES


def note_gone(live: Live, now_ns: int) -> None:
    """Mark those that two dumps in a row did not show."""
    gone = np.flatnonzero(live["absences"] >= _GONE_ABSENCES)
    if len(gone):
        marked = choose(live, gone)
        mark_evicted(marked, now_ns)
        replace(live, gone, marked)


def mark_evicted(live: Live, at_ns: int | npt.NDArray[np.int64]) -> None:
    """These are gone without a word, unless their end is known."""
    is_unknown = ~live["is_end_due"] & ~live["is_end_told"]
    live["ended_at_ns"] = np.where(is_unknown, at_ns, live["ended_at_ns"])
    live["end_reason"] = np.where(is_unknown, _EVICTED, live["end_reason"])
    live["is_end_due"] |= is_unknown


def end(live: Live, at_ns: int | npt.NDArray[np.int64], reasons: npt.NDArray[np.uint8]) -> None:
    """These have ended; the first end that was reported stands."""
    is_due = ~live["is_end_told"]
    live["ended_at_ns"] = np.where(is_due, at_ns, live["ended_at_ns"])
    live["end_reason"] = np.where(is_due, reasons, live["end_reason"])
    live["is_end_due"] |= is_due


def take_rows(live: Live) -> Reports:
    """Rows of what changed since the last time; afterwards all of it counts as reported."""
    changed = ~live["is_told"] | live["is_end_due"]
    for name in COUNTERS:
        changed |= live[name] != live[f"reported_{name}"]
    told = choose(live, changed)
    rows = np.zeros(len(told), REPORT)
    for name in (*TUPLE_NAMES, "connection_id", "status", "tcp_state", "started_at_ns", "seen_at_ns"):
        rows[name] = told[name]
    for name in COUNTERS:
        rows[name] = told[name] - told[f"reported_{name}"]
        live[f"reported_{name}"] = live[name]
    has_ended = told["is_end_due"] | told["is_end_told"]
    rows["ended_at_ns"] = np.where(has_ended, told["ended_at_ns"], 0)
    rows["end_reason"] = np.where(has_ended, told["end_reason"], _ACTIVE)
    rows["is_first"], rows["is_final"] = ~told["is_told"], told["is_end_due"]
    live["is_told"] = True
    live["is_end_told"] |= live["is_end_due"]
    live["is_end_due"] = False
    return rows
