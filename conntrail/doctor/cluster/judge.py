"""From what an API server tells to findings. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from agents.cluster.right import Right
from conntrail.doctor.clock import Sighting, judge_clock
from conntrail.doctor.cluster.check import ACCESS, CLOCK, PARTS, SERVER
from conntrail.doctor.finding import Finding

Asked = tuple[Right, str]
"""A right, and one of its verbs."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What an API server tells."""

    host: str
    version: str
    clock: Sighting | None
    allowed: Mapping[Asked, bool]
    """Of what the cluster has: whether we may."""
    parts: Mapping[str, int] | None
    """Pods of ours by the version that they state; None where we may not list pods."""


def judge_cluster(facts: ClusterFacts, version: str) -> list[Finding]:
    """Each resource on which a verb is refused is a finding of its own. ``version``: that of this command."""
    refused = list(_refused(facts.allowed))
    access = refused or [ACCESS.ok(f"all {len(facts.allowed)} rights of the cluster agent")]
    return [
        SERVER.ok(f"Kubernetes {facts.version} at {facts.host}"),
        *access,
        _judge_parts(facts.parts, version),
        judge_clock(CLOCK, facts.clock, "the API server"),
    ]


def _judge_parts(parts: Mapping[str, int] | None, version: str) -> Finding:
    if not parts:
        return PARTS.skipped("we may not list pods" if parts is None else "no pods of ours are in this cluster")
    words = ", ".join(f"{count} pods of {name or 'no version'}" for name, count in sorted(parts.items()))
    if set(parts) == {version}:
        return PARTS.ok(words)
    return PARTS.degraded(f"{words}; this command is {version}")


def _refused(allowed: Mapping[Asked, bool]) -> Iterator[Finding]:
    verbs: dict[Right, list[str]] = {}
    for (right, verb), is_allowed in allowed.items():
        if not is_allowed:
            verbs.setdefault(right, []).append(verb)
    for right, names in verbs.items():
        where = f" in namespace {right.namespace}" if right.namespace else ""
        words = f"no right to {', '.join(names)} {right.title}{where}"
        group = right.group or '""'
        remedy = f"grant verbs [{', '.join(names)}] on resources [{right.resource}] of apiGroups [{group}] by RBAC"
        yield replace(ACCESS, lost=right.lost).missing(words, remedy)
