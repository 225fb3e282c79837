"""What became different between two states of one object, in words: the pure decision behind topic ``changes``.

States are records of k8s.objects, so what the topic holds is the state before, also over a restart of the agent.
What is not known of a state is no difference: nothing is told of objects that are met for the first time, unless they
are known to be new. A spec counts as changed when its generation moved with it: an API server that is upgraded fills
in new defaults that nobody asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from agents.cluster.record.kind import KINDS
from agents.cluster.record.slim import UNKNOWN, Record

Action = Literal["created", "deleted", "rolled_out", "scaled", "ready", "unready", "restarted", "changed"]
_MAXIMUM_WORDS: Final = 1024
_WORDS_BEFORE: Final = 256
"""Of what is alike before the first difference of two long values."""
_LEFT_OUT: Final = "…"
_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job", "Pod"})
_WITH_SPEC: Final = frozenset(kind.name for kind in KINDS if kind.has_spec)
_NAMED: Final = _WORKLOADS | _WITH_SPEC | {"Service", "Node", "Namespace"}
"""Kinds of which it is told when objects come and go."""
_MAKERS: Final = _WORKLOADS | {"Node"}
_SERVICE: Final = ("service_type", "selector", "ports")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that became different."""

    action: Action
    from_value: str = ""
    to_value: str = ""


def differences(before: Record | None, after: Record, *, is_new: bool) -> list[Difference]:
    """Of two successive states of a key. ``is_new``: without a state before, the object was made just now."""
    was = None if before is None or before["deleted_at_ns"] is not None else before
    if after["deleted_at_ns"] is not None:
        return [] if was is None else list(_ended(was))
    if was is None:
        return list(_begun(after)) if is_new or before is not None else []
    if was["uid"] != after["uid"]:
        return [*_ended(was), *_begun(after)]
    return [_cut(one) for one in _moved(was, after)]


def ready_of(record: Record) -> str:
    """How many endpoints of a slice are ready, in words."""
    endpoints = record["endpoints"]
    return f"{_ready(record)} of {len(endpoints)} ready"


def _begun(record: Record) -> Iterator[Difference]:
    if _is_named(record):
        yield Difference("created", "", _cut_words(_state(record)))
    if record["kind"] == "EndpointSlice" and _ready(record):
        yield Difference("ready", "0 of 0 ready", ready_of(record))


def _ended(record: Record) -> Iterator[Difference]:
    if _is_named(record):
        yield Difference("deleted", _cut_words(_state(record)), "")
    if record["kind"] == "EndpointSlice" and _ready(record):
        yield Difference("unready", ready_of(record), "0 of 0 ready")


def _moved(before: Record, after: Record) -> Iterator[Difference]:
    compare = _COMPARISONS.get(after["kind"])
    if compare is not None:
        return compare(before, after)
    return _policy(before, after) if after["kind"] in _WITH_SPEC else iter(())


def _node(before: Record, after: Record) -> Iterator[Difference]:
    if before["is_ready"] != after["is_ready"]:
        yield _readiness(is_ready=after["is_ready"])


def _pod(before: Record, after: Record) -> Iterator[Difference]:
    if UNKNOWN < before["restarts"] < after["restarts"]:
        yield Difference("restarted", _restarts(before), _restarts(after))


def _reachability(before: Record, after: Record) -> Iterator[Difference]:
    if any(before[name] != after[name] for name in _SERVICE):
        yield Difference("changed", _service(before), _service(after))


def _policy(before: Record, after: Record) -> Iterator[Difference]:
    if _is_rewritten(before, after, "spec_json") or before["annotations"] != after["annotations"]:
        yield Difference("changed", _state(before), _state(after))


def _workload(before: Record, after: Record) -> Iterator[Difference]:
    if _is_made(after):
        return
    if before["template"] and _is_rewritten(before, after, "template"):
        action: Action = "changed" if after["kind"] == "CronJob" else "rolled_out"
        is_told = before["images"] != after["images"]
        words = [
            ", ".join(state["images"]) if is_told else f"template {state['template']}" for state in (before, after)
        ]
        yield Difference(action, *words)
    if UNKNOWN not in (before["replicas"], after["replicas"]) and before["replicas"] != after["replicas"]:
        yield Difference("scaled", f"{before['replicas']} replicas", f"{after['replicas']} replicas")


def _endpoints(before: Record, after: Record) -> Iterator[Difference]:
    was, now = _ready(before), _ready(after)
    if was != now:
        yield Difference("ready" if now > was else "unready", ready_of(before), ready_of(after))


def _readiness(*, is_ready: bool) -> Difference:
    return Difference("ready", "not ready", "ready") if is_ready else Difference("unready", "ready", "not ready")


def _is_named(record: Record) -> bool:
    return record["kind"] in _NAMED and not _is_made(record)


def _is_made(record: Record) -> bool:
    """Of what a controller makes for a workload, the workload's change says enough."""
    return record["owner"] is not None and record["owner"]["kind"] in _MAKERS


def _is_rewritten(before: Record, after: Record, name: str) -> bool:
    """Objects that have a generation are rewritten only when it moves."""
    is_moved = before["generation"] != after["generation"] or not after["generation"]
    return bool(before[name] != after[name]) and is_moved


def _ready(record: Record) -> int:
    return sum(endpoint["is_ready"] for endpoint in record["endpoints"])


def _restarts(record: Record) -> str:
    return f"{record['restarts']} restarts"


def _service(record: Record) -> str:
    selector = ",".join(f"{key}={value}" for key, value in sorted(record["selector"].items()))
    ports = ",".join(f"{port['port']}/{port['protocol']}→{port['target_port']}" for port in record["ports"])
    return f"{record['service_type']} [{selector}] {ports}"


def _state(record: Record) -> str:
    """What is to be known of an object that comes or goes."""
    if record["kind"] in _WITH_SPEC:
        notes = "".join(f"{key}={value} " for key, value in sorted(record["annotations"].items()))
        return f"{notes}{record['spec_json']}"
    if record["kind"] == "Service":
        return _service(record)
    replicas = [f"{record['replicas']} replicas"] if record["replicas"] != UNKNOWN else []
    return ", ".join([*replicas, *record["images"]])


def _cut(one: Difference) -> Difference:
    """Of long values what lies around their first difference, where their beginnings hold little or nothing of it."""
    before, after = one.from_value, one.to_value
    alike = _alike(before, after)
    is_late = max(len(before), len(after)) > _MAXIMUM_WORDS and alike > _MAXIMUM_WORDS - _WORDS_BEFORE
    if is_late:
        before, after = (_LEFT_OUT + words[alike - _WORDS_BEFORE :] for words in (before, after))
    return Difference(one.action, _cut_words(before), _cut_words(after))


def _alike(one: str, other: str) -> int:
    """Characters before the first that differs."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _cut_words(words: str) -> str:
    return words[:_MAXIMUM_WORDS]


_COMPARISONS: Final = {
    "EndpointSlice": _endpoints,
    "Node": _node,
    "Pod": _pod,
    "Service": _reachability,
    **dict.fromkeys(_WORKLOADS - {"Pod"}, _workload),
}
