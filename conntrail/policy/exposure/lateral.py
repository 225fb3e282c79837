"""Lateral movement: what a compromised workload can reach under the policies, against what it uses.

Ports of a destination are those that its containers declare and those that traffic showed; others may be open too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from conntrail.policy.cluster.snapshot import Pod, Snapshot, addresses_of
from conntrail.policy.history.replay import of_family
from conntrail.policy.history.seen import History, SeenEnd
from streams.policy.evaluate import judge_selected
from streams.policy.policy_set import Selection
from streams.policy.question import End, Question

MAXIMUM_EVALUATIONS: Final = 200_000
"""About 6 s; beyond, the workloads that use least are left out and it is said."""
_SHOWN_TARGETS: Final = 5
_Door = tuple[SeenEnd, str, int]


@dataclass(frozen=True, slots=True)
class Reach:
    """What one workload can reach inside the cluster; every door is a workload, protocol and port."""

    workload: SeenEnd
    reachable: tuple[_Door, ...]
    used: tuple[_Door, ...]

    @property
    def unused(self) -> tuple[_Door, ...]:
        """Open and never gone through."""
        return tuple(sorted(set(self.reachable) - set(self.used)))


def lateral_movement(snapshot: Snapshot, history: History, namespace: str) -> tuple[list[Reach], tuple[str, ...]]:
    """Whoever can reach most that it does not use comes first; and what was left out, in words."""
    workloads = {
        SeenEnd("workload", *key): pod for key, pods in snapshot.workloads.items() if (pod := _asked(pods)) is not None
    }
    doors = _doors(workloads, history)
    used = _used(history)
    selections = {workload: snapshot.policies.select(pod.endpoint, "ingress") for workload, pod in workloads.items()}
    asked = [workload for workload in workloads if not namespace or workload.namespace == namespace]
    asked.sort(key=lambda workload: -len(used.get(workload, ())))
    budget = MAXIMUM_EVALUATIONS // max(len(doors), 1)
    notes = (f"INCOMPLETE: reach of {len(asked) - budget} workloads was not worked out: use -n NAMESPACE",)
    found = [
        Reach(workload, tuple(_open(workload, workloads, doors, snapshot, selections)), used.get(workload, ()))
        for workload in asked[:budget]
    ]
    found.sort(key=lambda reach: (-len(reach.unused), reach.workload))
    return found, notes if len(asked) > budget else ()


def reach_row(reach: Reach) -> dict[str, object]:
    """As it is printed."""
    return {
        "workload": str(reach.workload),
        "reachable": len(reach.reachable),
        "used": len(set(reach.reachable) & set(reach.used)),
        "unused": len(reach.unused),
        "namespaces": sorted({door[0].namespace for door in reach.reachable} - {reach.workload.namespace}),
        "unused_doors": [f"{door[0]} {door[1]} {door[2]}" for door in reach.unused[:_SHOWN_TARGETS]],
    }


def _asked(pods: tuple[Pod, ...]) -> Pod | None:
    """One pod stands for its workload."""
    return next((pod for pod in pods if not pod.endpoint.host_network and pod.endpoint.addresses), None)


def _doors(workloads: dict[SeenEnd, Pod], history: History) -> list[_Door]:
    found = {(workload, port.protocol, port.port) for workload, pod in workloads.items() for port in pod.endpoint.ports}
    found |= {
        (seen.key.destination, seen.key.protocol, seen.key.port)
        for seen in history.seen
        if seen.key.destination in workloads and seen.key.port and seen.key.action == "allowed"
    }
    return sorted(found)


def _used(history: History) -> dict[SeenEnd, tuple[_Door, ...]]:
    found: dict[SeenEnd, list[_Door]] = {}
    for seen in history.seen:
        if seen.key.action == "allowed":
            door = (seen.key.destination, seen.key.protocol, seen.key.port)
            found.setdefault(seen.key.source, []).append(door)
    return {workload: tuple(doors) for workload, doors in found.items()}


def _open(
    workload: SeenEnd,
    workloads: dict[SeenEnd, Pod],
    doors: list[_Door],
    snapshot: Snapshot,
    selections: dict[SeenEnd, Selection],
) -> Iterator[_Door]:
    here = _end(workloads[workload])
    egress = snapshot.policies.select(here.pod, "egress")
    for door in doors:
        destination, protocol, port = door
        if destination == workload:
            continue
        there = _end(workloads[destination])
        question = Question(of_family(here, there), of_family(there, here), protocol, port)
        if judge_selected(egress, selections[destination], question).verdict in ("allow", "none"):
            yield door


def _end(pod: Pod) -> End:
    return End(pod.endpoint, next(iter(addresses_of(pod.endpoint)), None))
