"""From facts to a report."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from conntrail.policy.history.period import Period
from conntrail.report.evidence.report import MS_PER_SECOND, Report
from conntrail.report.evidence.row import (
    change_row,
    request_row,
    rule_row,
    traffic_row,
    unprotected_rows,
    unseen_row,
    workload_row,
)
from conntrail.report.evidence.section import Row
from conntrail.report.fact.coverage import SIGHTS
from conntrail.report.fact.facts import WINDOW_SIGHTS, Facts
from conntrail.report.fact.traffic import OTHERS

_ERROR_STATUS: Final = 400
_ON_THE_WAY_MS: Final = 300_000
"""An interval, a window with its grace, and an index that is refreshed seldom take less."""
_PROTECTIONS: Final = ("protected", "partly", "open", "unseen")
_OUTCOMES: Final = ("allowed", "denied", "failed")
_Rows = Mapping[str, tuple[Row, ...]]


def due_at(period: Period, final_at_ms: int, now_ms: int) -> int:
    """Up to when nodes are to have told what they saw. Of what is final no clock may decide anything."""
    return period.until_ms if now_ms >= final_at_ms else min(period.until_ms, now_ms - _ON_THE_WAY_MS)


def build_report(facts: Facts, final_at_ms: int, now_ms: int) -> Report:
    """``now_ms`` tells only whether the report is final."""
    rows = _rows(facts)
    return Report(
        scope=facts.scope,
        since_ms=facts.period.since_ms,
        until_ms=facts.period.until_ms,
        final_at_ms=final_at_ms,
        is_final=now_ms >= final_at_ms,
        revision=0,
        completeness=_completeness(facts, rows),
        summary=_summary(rows),
        rows=rows,
    )


def _rows(facts: Facts) -> _Rows:
    traffic = [(one, traffic_row(one)) for one in facts.traffic.rows()]
    workloads = facts.workloads.items()
    found: dict[str, Sequence[Row]] = {
        "unseen": [unseen_row(node, span) for (node, _), span in facts.coverage.spans()],
        "drift": [row for one, row in traffic if one.outcome.is_drift],
        "denials": [row for one, row in traffic if one.outcome.action == "denied"],
        "traffic": [row for one, row in traffic if one.outcome.action != "denied"],
        "unprotected": [row for end, workload in workloads for row in unprotected_rows(end, workload)],
        "workloads": [workload_row(end, workload) for end, workload in workloads],
        "policies": [rule_row(key, figures) for key, figures in facts.rules.items()],
        "changes": [change_row(change) for change in facts.changes.changes()],
        "requests": [request_row(request) for request in facts.changes.requests()],
    }
    return {name: tuple(rows) for name, rows in found.items()}


def _completeness(facts: Facts, rows: _Rows) -> dict[str, Any]:
    """What an auditor has to know of what is missing."""
    totals = facts.coverage.total_ms
    folded = {row[side] for name in ("traffic", "denials") for row in rows[name] for side in ("source", "destination")}
    cut = sorted(name for name, is_cut in facts.cuts().items() if is_cut)
    return {
        "level": _level(facts),
        "nodes": facts.coverage.nodes,
        "node_seconds": {sight: totals[sight] // MS_PER_SECOND for sight in SIGHTS},
        "windows": {sight: facts.windows[sight] for sight in WINDOW_SIGHTS},
        "undecided_windows": facts.undecided,
        "dead_letters": facts.dead_letters,
        "audit_events": facts.audit_events,
        "folded_ends": OTHERS in folded,
        "cut_sections": cut,
    }


def _level(facts: Facts) -> str:
    """The worst that nodes said of themselves; unknown when no node said anything."""
    if not facts.coverage.nodes:
        return "unknown"
    return next((sight for sight in reversed(SIGHTS) if facts.coverage.total_ms[sight]), "unknown")


def _summary(rows: _Rows) -> dict[str, Any]:
    every = [*rows["traffic"], *rows["denials"]]
    workloads = rows["workloads"]
    return {
        "connections": {name: _sum(row for row in every if row["outcome"] == name) for name in _OUTCOMES},
        "pairs": len(
            {(row["source"], row["source_kind"], row["destination"], row["destination_kind"]) for row in every}
        ),
        "workloads": len(workloads),
        "ingress": {word: sum(row["ingress"] == word for row in workloads) for word in _PROTECTIONS},
        "egress": {word: sum(row["egress"] == word for row in workloads) for word in _PROTECTIONS},
        "from_outside": sum(bool(row["from_outside"]) for row in workloads),
        "to_outside": sum(bool(row["to_outside"]) for row in workloads),
        "across_namespaces": sum(bool(row["from_namespaces"] or row["to_namespaces"]) for row in workloads),
        "clear_text": sum(bool(row["clear_text"]) for row in rows["traffic"]),
        "drift": len(rows["drift"]),
        "rules": len(rows["policies"]),
        "changes": len(rows["changes"]),
        "changes_without_author": sum(row["by"] == "unknown" for row in rows["changes"]),
        "requests": len(rows["requests"]),
        "requests_refused": sum(_is_refused(row) for row in rows["requests"]),
    }


def _sum(rows: Any) -> int:
    return sum(row["connections"] for row in rows)


def _is_refused(row: Row) -> bool:
    status = row["status"]
    return row["decision"] == "forbid" or (isinstance(status, int) and status >= _ERROR_STATUS)
