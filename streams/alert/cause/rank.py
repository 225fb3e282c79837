"""Which of the things that happened may be the cause, and why: ranked, each with its evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from streams.alert.cause import weight
from streams.alert.cause.happening import Happening
from streams.alert.fact.subject import Context
from streams.alert.signal.end import NODE, End

MAXIMUM_CAUSES: Final = 8
_FITS: Final = {
    "policy": "a policy decides what is denied",
    "rollout": "a rollout replaces what answers",
    "scaling": "scaling takes away or adds what answers",
    "endpoints": "the Service's endpoints decide who answers",
    "pod": "the pod is what answers",
    "node": "the node carries an end",
    "namespace": "policies select by labels of namespaces",
    "certificate": "a certificate that does not hold ends connections",
    "dns": "without a name nothing is dialled",
}
_ANSWERING: Final = frozenset({"endpoints", "pod", "scaling"})
"""Kinds that tell of what answers: at the end that dials they break nothing."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A candidate and what speaks for it."""

    happening: Happening
    confidence: float
    evidence: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """As alerts carry it (schemas/avro/alert.avsc)."""
        happening = self.happening
        return {
            "kind": happening.kind,
            "object": happening.object,
            "summary": happening.summary,
            "by": happening.by,
            "at_ns": happening.at_ns,
            "confidence": self.confidence,
            "evidence": list(self.evidence),
        }


def ranked(happenings: Iterable[Happening], context: Context, since_ns: int, look_back_ns: int) -> list[Cause]:
    """The likeliest first, at most eight. ``since_ns``: when it began to fail."""
    found = []
    latest_ns = since_ns + round(weight.LATE_SECONDS * 1e9)
    for happening in happenings:
        is_near = since_ns - look_back_ns <= happening.at_ns <= latest_ns
        if is_near or happening.id in context.cause_ids:
            cause = _cause(happening, context, since_ns)
            if cause is not None:
                found.append(cause)
    found.sort(key=lambda cause: (-cause.confidence, -cause.happening.at_ns, cause.happening.id))
    return _distinct(found)[:MAXIMUM_CAUSES]


def merged_causes(told: Iterable[dict[str, Any]], found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records of causes found now, and of those told before that are forgotten by now; the likeliest first."""
    causes = {(cause["kind"], cause["object"]): cause for cause in (*told, *found)}
    ordered = sorted(causes.values(), key=lambda cause: (-cause["confidence"], -cause["at_ns"], cause["object"]))
    return ordered[:MAXIMUM_CAUSES]


def _distinct(causes: Iterable[Cause]) -> list[Cause]:
    """Of one object the likeliest: that an endpoint went and came is one thing."""
    found: dict[tuple[str, str], Cause] = {}
    for cause in causes:
        found.setdefault((cause.happening.kind, cause.happening.object), cause)
    return list(found.values())


def _cause(happening: Happening, context: Context, since_ns: int) -> Cause | None:
    seconds = (since_ns - happening.at_ns) / 1e9
    if happening.id in context.cause_ids:
        return _made(happening, weight.BY_DEFINITION, ["it is what this is about", _when(seconds)])
    likely = weight.fit(context.mode, happening.kind) * weight.nearness(seconds)
    if happening.is_harmless or likely < weight.LEAST:
        return None
    related, words = _relation(happening, context)
    confidence = round(likely * related, 3)
    if confidence < weight.LEAST:
        return None
    return _made(happening, confidence, [words, _when(seconds), _FITS.get(happening.kind, "") if context.mode else ""])


def _made(happening: Happening, confidence: float, evidence: list[str]) -> Cause:
    by = f"done by {happening.by}" if happening.by else ""
    return Cause(happening, confidence, tuple(word for word in (*evidence, by) if word))


def _when(seconds: float) -> str:
    if seconds < 0:
        return f"seen {-seconds:.0f} s after it began"
    return f"{seconds:.0f} s before it began"


def _relation(happening: Happening, context: Context) -> tuple[float, str]:
    if happening.is_policy and _is_named(happening, context):
        if happening.is_gone and context.mode:
            return 0.0, ""  # what it denied, it denied before
        return weight.NAMED, f"the denial names {happening.object}"
    touched = _touched(happening, context)
    if touched is not None:
        return touched
    if context.service and happening.service == context.service:
        return weight.SERVICE, f"it belongs to the Service {context.service} that was dialled"
    if happening.node and happening.node in _nodes(context):
        return weight.NODE, f"an end is on node {happening.node}"
    return _neighbourhood(happening, context)


def _touched(happening: Happening, context: Context) -> tuple[float, str] | None:
    source, destination = _workload(context.source), _workload(context.destination)
    is_source = bool(source) and source in happening.workloads
    is_destination = bool(destination) and destination in happening.workloads
    verb = "selects" if happening.is_policy else "touches"
    if is_source and is_destination:
        return weight.BOTH_ENDS, f"it {verb} both ends"
    if is_destination:
        return weight.DESTINATION, f"it {verb} {destination}"
    if is_source:
        # Policies, names and new software fail at the dialling end; what answers is the other one.
        return (0.0, "") if happening.kind in _ANSWERING else (weight.SOURCE, f"it {verb} {source}")
    return None


def _neighbourhood(happening: Happening, context: Context) -> tuple[float, str]:
    namespaces = {end.namespace for end in (context.source, context.destination) if end is not None and end.namespace}
    if happening.kind == "namespace":
        is_near = happening.name in namespaces
        return (weight.DESTINATION, f"an end is in namespace {happening.name}") if is_near else (0.0, "")
    if happening.is_policy and not happening.namespace:
        return weight.CLUSTER_WIDE, "it is a policy of the whole cluster"
    # A policy that tells whom it selects, and selects neither end, has nothing to do with it.
    if happening.is_policy and happening.namespace in namespaces and not happening.workloads:
        return weight.SAME_NAMESPACE, f"it is a policy of namespace {happening.namespace}"
    return 0.0, ""


def _is_named(happening: Happening, context: Context) -> bool:
    kind, namespace, name = happening.object.split("/", 2)
    written = f"{kind}:{namespace}/{name}" if namespace else f"{kind}:{name}"
    return any(policy == written or policy.startswith(f"{written}:") for policy in context.policies)


def _nodes(context: Context) -> set[str]:
    ends = {end.name for end in (context.source, context.destination) if end is not None and end.kind == NODE}
    return ends | set(context.nodes)


def _workload(end: End | None) -> str:
    return end.workload if end is not None else ""
