"""History replayed against another set of policies: what would break, what would be let through, what nobody knows.

Each record of what was seen is asked of both sets. What was seen allowed breaks when the new set denies it and the
present one does not; what was denied is newly allowed when only the new set lets it through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.period import instant_text
from conntrail.policy.history.replay import questions_of
from conntrail.policy.history.seen import History, Seen
from streams.policy.evaluate import evaluate
from streams.policy.policy_set import PolicySet
from streams.policy.question import Question
from streams.policy.trace import Trace

Effect = Literal["breaks", "allows", "undecided", "unknown-ends"]
EFFECTS: Final[tuple[Effect, ...]] = ("breaks", "allows", "undecided", "unknown-ends")
_Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Finding:
    """A record of what was seen whose answer is another one."""

    effect: Effect
    seen: Seen
    by: tuple[str, ...]
    """Rules that decide in the new set, as documents write them; of ``unknown-ends`` none."""


def findings(history: History, snapshot: Snapshot, after: PolicySet, namespace: str) -> Iterator[Finding]:
    """In the order of the records; ``namespace``: only what begins or ends there, empty for all."""
    for seen in history.seen:
        if namespace and namespace not in (seen.key.source.namespace, seen.key.destination.namespace):
            continue
        questions = questions_of(seen, history, snapshot)
        if not questions:
            yield Finding("unknown-ends", seen, ())
            continue
        found = [finding for question in questions if (finding := _compared(question, seen, snapshot.policies, after))]
        if found:
            yield min(found, key=lambda finding: EFFECTS.index(finding.effect))


def finding_row(finding: Finding) -> _Row:
    """For tables and JSON."""
    key = finding.seen.key
    return {
        "effect": finding.effect,
        "source": str(key.source),
        "destination": str(key.destination),
        "port": key.port,
        "protocol": key.protocol,
        "connections": finding.seen.connections,
        "bytes": finding.seen.bytes,
        "last_seen": instant_text(finding.seen.last_seen_ms),
        "by": list(finding.by),
    }


def _compared(question: Question, seen: Seen, before: PolicySet, after: PolicySet) -> Finding | None:
    trace = evaluate(after, question)
    is_allowed = seen.key.action == "allowed"
    if trace.verdict == "unknown":
        return Finding("undecided", seen, _hits(trace, "unknown")) if is_allowed else None
    now = evaluate(before, question).verdict
    if is_allowed and trace.verdict == "deny" and now != "deny":
        return Finding("breaks", seen, tuple(map(str, trace.denied_by)))
    if seen.key.action == "denied" and trace.verdict != "deny" and now == "deny":
        return Finding("allows", seen, _hits(trace, "allow"))
    return None


def _hits(trace: Trace, action: str) -> tuple[str, ...]:
    return tuple(str(hit) for side in (trace.egress, trace.ingress) for hit in side.hits if hit.action == action)
