"""Turns rows of the table of attempts into columns of REPORT: deltas of attempts that were denied."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.report.columns import END_REASONS, REPORT, TCP_STATES, TUPLES, Reports

_TCP: Final = 6
_DENIED: Final = END_REASONS.index("denied")
_SYN_SENT: Final = TCP_STATES.index("syn_sent")
_TUPLE_FIELDS: Final = tuple(name for name, _ in TUPLES)


def render_untold(rows: npt.NDArray[np.void]) -> Reports:
    """Packets that were not told, as a report of their own; their bytes stand in the report of the interval."""
    untold = rows.copy()
    untold["packets"], untold["bytes"], untold["first_ns"] = rows["untold"], 0, rows["untold_ns"]
    return render(untold, np.zeros(len(rows), np.bool_))


def render(rows: npt.NDArray[np.void], is_final: npt.NDArray[np.bool_]) -> Reports:
    """Packets since the last report; ``is_final`` where nothing more of the attempt is expected."""
    report = np.zeros(len(rows), REPORT)
    for field in (*_TUPLE_FIELDS, "connection_id", "evidence"):
        report[field] = rows[field]
    report["tcp_state"] = np.where(rows["protocol"] == _TCP, _SYN_SENT, 0)
    report["original_packets"] = report["attempts"] = rows["packets"]
    report["original_bytes"] = rows["bytes"]
    report["started_at_ns"] = rows["first_ns"]
    report["seen_at_ns"] = rows["last_ns"]
    report["is_first"] = ~rows["is_reported"]
    report["is_final"] = is_final & ~rows["is_finished"]
    report["ended_at_ns"] = np.where(report["is_final"], rows["last_ns"], 0)
    report["end_reason"] = _DENIED
    return report
