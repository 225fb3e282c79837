"""The whole answer as one value: for people line by line, for programs as JSON."""

from dataclasses import dataclass
from typing import Any

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.explain.answer import (
    Case,
    node_words,
    readiness,
    side_words,
    sides_of,
    suggestions,
)
from conntrail.policy.explain.evidence import Sighting
from conntrail.policy.explain.target import Target
from streams.policy.miss import is_default_deny, miss_of

_VERDICTS = {"allow": "allowed", "none": "allowed", "deny": "denied", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is known of one question."""

    source: Target
    destination: Target
    protocol: str
    port: str
    cases: list[Case]
    sightings: list[Sighting] | None
    """None: nobody was asked."""
    nodes: list[str]
    """Words."""
    changes: list[str]

    @property
    def verdict(self) -> str:
        """Of all pairs the worst: allowed, denied or unknown."""
        return _VERDICTS[self.cases[0].trace.verdict] if self.cases else "unknown"


def make_report(
    snapshot: Snapshot,
    ends: tuple[Target, Target],
    asked: tuple[str, str],
    cases: list[Case],
    seen: tuple[list[Sighting] | None, dict[str, str]],
) -> Report:
    """``asked``: protocol and port; ``seen``: sightings, and each node's coverage in words."""
    source, destination = ends
    sightings, coverage = seen
    nodes = ["; ".join(filter(None, (node_words(name, snapshot), words))) for name, words in coverage.items()]
    changes = list(dict.fromkeys(words for case in cases for words in suggestions(case)))
    if not readiness(destination).is_answering:
        changes.append(f"nobody is ready to answer: see kubectl describe of {destination.kind} {destination.name}")
    changes += _contradictions(cases, sightings or [])
    return Report(source, destination, *asked, cases, sightings, nodes, changes)


def lines_of(report: Report) -> list[str]:
    """For people."""
    port = f"{report.protocol} {report.port}"
    head = f"{report.source.kind} {report.source.name} -> {report.destination.kind} {report.destination.name} {port}"
    lines = [f"{report.verdict.upper()}: {head}"]
    for case in report.cases:
        many = f" ({case.pairs} of {sum(item.pairs for item in report.cases)} pairs)" if len(report.cases) > 1 else ""
        lines.append(f"policies say {_VERDICTS[case.trace.verdict]}{many}:")
        for direction, side, pending in sides_of(case):
            lines += [f"  {words}" for words in side_words(direction, side, case.question)]
            if pending != side:
                lines.append(f"  {direction} with staged policies: {_VERDICTS[pending.action]}")
                lines += [f"    {words}" for words in side_words(direction, pending, case.question)]
    lines.append("seen:")
    lines += [f"  {item.action} at {item.at}: {item.words}" for item in report.sightings or ()]
    if not report.sightings:
        lines.append("  nobody was asked" if report.sightings is None else "  nothing in the period")
    lines += _section("destination:", list(readiness(report.destination).words))
    lines += _section("nodes:", report.nodes)
    return lines + _section("to change:", report.changes)


def document_of_report(report: Report) -> dict[str, Any]:
    """For programs."""
    return {
        "verdict": report.verdict,
        "source": {"name": report.source.name, "kind": report.source.kind},
        "destination": {"name": report.destination.name, "kind": report.destination.kind},
        "protocol": report.protocol,
        "port": report.port,
        "policies": [_case(case) for case in report.cases],
        "seen": [{"action": item.action, "at": item.at, "detail": item.words} for item in report.sightings or ()],
        "readiness": list(readiness(report.destination).words),
        "is_answering": readiness(report.destination).is_answering,
        "nodes": report.nodes,
        "changes": report.changes,
    }


def _case(case: Case) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "verdict": _VERDICTS[case.trace.verdict],
        "pairs": case.pairs,
        "destination_port": case.question.port,
    }
    for direction, side, pending in sides_of(case):
        miss = miss_of(side, case.question, direction) if is_default_deny(side) else None
        answer[direction] = {
            "action": side.action,
            "policies": [str(hit) for hit in side.hits],
            "words": side_words(direction, side, case.question),
            "pending": pending.action,
            "pending_policies": [] if pending == side else [str(hit) for hit in pending.hits],
            "nearest": None if miss is None else {
                "policy": f"{miss.policy.kind}:{miss.policy.namespace}/{miss.policy.name}",
                "rule": miss.rule.index,
                "failed": list(dict.fromkeys(miss.parts)),
                "words": list(miss.words),
            },
        }  # fmt: skip
    return answer


def _contradictions(cases: list[Case], sightings: list[Sighting]) -> list[str]:
    """Policies of now against what was seen last."""
    if not cases or not sightings:
        return []
    verdict, last = _VERDICTS[cases[0].trace.verdict], sightings[0]
    if verdict == "allowed" and last.action == "denied":
        why = "policies changed since, or the network plugin does not enforce what they say"
        return [f"policies of now allow it, the last try at {last.at} was denied: {why}"]
    if verdict == "allowed" and last.action == "failed":
        return ["policies allow it, and the last try failed without one: look at the destination itself"]
    return []


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []
