"""What a reader of recommended policies has to know besides: what they do not allow, whom they leave alone, and why."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from conntrail.policy.history.seen import Seen
from conntrail.policy.recommend.dialect import Dialect, staged_by_annotation
from conntrail.policy.recommend.proof import Proof
from conntrail.policy.recommend.recommendation import Recommendation
from conntrail.policy.recommend.sift import Sifted
from streams.policy.compile import STAGED_ANNOTATION

_SHOWN: Final = 10


def remarks(found: Recommendation, dialect: Dialect, *, is_staged: bool = False) -> Iterator[str]:
    """Lines; a WARNING is about traffic that was seen and may stop."""
    if is_staged and dialect.staged is staged_by_annotation:
        yield (
            f"WARNING: network plugins do not know the annotation {STAGED_ANNOTATION} and enforce what is applied: "
            "keep these to the lab and cluster-agent --manifests; Calico has staged kinds (--kind CalicoNetworkPolicy)"
        )
    yield from _of_kind(found.sifted, dialect)
    yield from _of_traffic(found.sifted)
    yield from _of_workloads(found)


def _of_kind(sifted: Sifted, dialect: Dialect) -> Iterator[str]:
    yield from _records(
        sifted.inexpressible,
        f"WARNING: {dialect.kind} has no word for it, and most network plugins deny it to whoever is isolated "
        "(--keep-icmp lets it through, with every port)",
    )
    if dialect.protocols is not None:
        portless = [item.seen for item in sifted.wanted if item.seen.key.protocol not in dialect.protocols]
        yield from _records(portless, f"let through with every port, for {dialect.kind} has no word for the protocol")
    if dialect.is_by_name and not any(item.seen.domains for item in sifted.wanted):
        yield "no flow tells by which name an address outside was found: rules have addresses"


def _of_traffic(sifted: Sifted) -> Iterator[str]:
    yield from _records([seen for seen, _ in sifted.unprovable], "WARNING: left out, for nobody can replay it")
    yield from _records(sifted.closed, "not allowed, for the present policies deny what was seen allowed before")
    yield from _records(
        [item.seen for item in sifted.wanted if not item.is_whole],
        "left to the present policies, which let only some of the pods through",
    )
    yield from _records(sifted.failed, "not allowed, for it failed: nobody answered or it was refused")
    yield from _records([seen for seen, _ in sifted.denied], "not allowed, for it was denied")


def _of_workloads(found: Recommendation) -> Iterator[str]:
    names = [f"{namespace}/{name}" for group in found.silent for namespace, _, name in group.workloads]
    if names:
        yield f"no traffic was seen of {_listed(names)}: no policy for them, --all isolates them"
    for draft in found.drafts:
        if draft.group.selected_too:
            yield f"{draft.name} in {draft.group.namespace} selects pods of {_listed(draft.group.selected_too)} too"
    if found.left_out:
        yield f"{_listed(found.left_out)} left out: a missing rule there stops the cluster; ask for one by -n"
    if found.drafts and not found.has_dns:
        yield "no DNS of the cluster was found in kube-system: only who was seen asking keeps it"


def failures(found: Recommendation) -> Iterator[str]:
    """What stands against showing these policies; empty when they are proven."""
    for failure in (*found.proof.denied, *found.proof.opened):
        yield f"{record(failure.seen)}: {failure.why}"


def unprovable(found: Recommendation) -> Iterator[str]:
    """What cannot be replayed."""
    for seen, why in found.sifted.unprovable:
        yield f"{record(seen)}: {why}"


def statement(proof: Proof) -> str:
    """What was proven."""
    return (
        f"Proven by replay of {proof.records} records of traffic ({proof.questions} questions, every pod counted), "
        f"alone and together with the {proof.policies} other policies present: none denied, none undecided, "
        "nothing let through that is denied now"
    )


def record(seen: Seen) -> str:
    """One line."""
    key = seen.key
    port = f"{key.protocol} {key.port}" if key.port else key.protocol
    return f"{key.source} to {key.destination} {port} ({seen.connections} connections)"


def _records(records: Sequence[Seen], what: str) -> Iterator[str]:
    if records:
        yield f"{what}: {_listed(record(seen) for seen in records)}"


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
