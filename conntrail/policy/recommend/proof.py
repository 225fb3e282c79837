"""Replays what was seen against the policies as they are written, alone and together with those that are there.

Nothing is printed that this does not hold for: no traffic that goes on is denied, nor left undecided, and nothing that
was denied is let through. Staged policies are judged as if they were enforced.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from conntrail.policy.cluster.build import policies_of
from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.seen import History, Seen
from conntrail.policy.recommend.dialect import Manifest, enforced
from conntrail.policy.recommend.question import apart_by, questions_about_all
from conntrail.policy.recommend.sift import Sifted, Wanted
from streams.policy.compile import is_policy
from streams.policy.evaluate import evaluate
from streams.policy.object import PolicyObject
from streams.policy.policy_set import PolicySet
from streams.policy.question import Question
from streams.policy.trace import Trace


@dataclass(frozen=True, slots=True)
class Failure:
    """A record for which a set of policies does not do what it should."""

    seen: Seen
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was replayed, and what it showed."""

    records: int
    questions: int
    policies: int
    """Present ones beside those recommended."""
    denied: tuple[Failure, ...]
    opened: tuple[Failure, ...]


def prove(documents: Iterable[Manifest], sifted: Sifted, history: History, snapshot: Snapshot) -> Proof:
    """``documents`` as they were read back from what will be printed."""
    proposed = [_object(enforced(document)) for document in documents]
    replaced = {_name(item) for item in proposed}
    kept = [item for item in snapshot.objects if _name(item) not in replaced]
    referents = [item for item in kept if not is_policy(item.api_version, item.kind)]
    alone, together = policies_of([*referents, *proposed]), policies_of([*kept, *proposed])
    apart = apart_by([*snapshot.objects, *proposed], policies_of([*snapshot.objects, *proposed]))
    denied: list[Failure] = []
    count = 0
    for item in sifted.wanted:
        questions = [
            question
            for question in questions_about_all(item.seen, history, snapshot, apart)
            if evaluate(snapshot.policies, question).verdict != "deny"
        ]
        count += len(questions)
        denied += _first(_failures(item, questions, alone, together))
    opened = [
        Failure(seen, "the present policies deny it, together with the recommended ones it would pass")
        for seen, questions in sifted.denied
        if any(evaluate(together, question).verdict != "deny" for question in questions)
    ]
    present = len(kept) - len(referents)
    return Proof(len(sifted.wanted), count, present, tuple(denied), tuple(opened))


def _failures(item: Wanted, questions: Iterable[Question], alone: PolicySet, together: PolicySet) -> Iterator[Failure]:
    for question in questions:
        sets = [("together with the present policies", together), *([("alone", alone)] if item.is_whole else [])]
        for how, policies in sets:
            trace = evaluate(policies, question)
            if trace.verdict in ("deny", "unknown"):
                yield Failure(item.seen, f"{how}: {trace.verdict} by {_by(trace)}")


def _by(trace: Trace) -> str:
    hits = [hit for side in (trace.egress, trace.ingress) for hit in side.hits if hit.action in ("deny", "unknown")]
    return ", ".join(sorted({str(hit) for hit in hits}))


def _first(failures: Iterator[Failure]) -> list[Failure]:
    """One tells of the record; a workload has many pods."""
    return [failure for failure in (next(failures, None),) if failure is not None]


def _name(item: PolicyObject) -> tuple[str, str, str, str]:
    return item.group, item.kind, item.namespace, item.name


def _object(manifest: Manifest) -> PolicyObject:
    metadata: dict[str, Any] = manifest["metadata"]
    return PolicyObject(
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid="",
        spec=manifest["spec"],
        annotations=metadata["annotations"],
    )
