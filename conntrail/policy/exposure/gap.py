"""Workloads that no policy selects, per direction, those with the most exposed traffic first."""

from dataclasses import dataclass

from conntrail.policy.cluster.snapshot import Pod, Snapshot
from conntrail.policy.history.seen import History, Seen, SeenEnd
from streams.policy.question import Direction

_DIRECTIONS: tuple[Direction, Direction] = ("ingress", "egress")
_SHOWN_PEERS = 5


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a workload's traffic in one direction touches."""

    peers: tuple[str, ...]
    namespaces: tuple[str, ...]
    """Other than its own."""
    outside: int
    """Addresses outside the cluster."""
    connections: int

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Greater is more exposed: the outside first, then other namespaces, then peers."""
        return self.outside, len(self.namespaces), len(self.peers), self.connections


@dataclass(frozen=True, slots=True)
class Gap:
    """A workload of which some or all pods are open in a direction."""

    workload: SeenEnd
    direction: Direction
    open_pods: int
    pods: int
    exposure: Exposure


def gaps(snapshot: Snapshot, history: History, namespace: str) -> list[Gap]:
    """The most exposed first. Staged policies protect nobody; pods on the node's network are out of policies' reach."""
    found = []
    traffic = _by_end(history)
    for (space, kind, name), pods in snapshot.workloads.items():
        reachable = [pod for pod in pods if not pod.endpoint.host_network]
        if not reachable or (namespace and space != namespace):
            continue
        workload = SeenEnd("workload", space, kind, name)
        for direction in _DIRECTIONS:
            open_pods = sum(not is_isolated(pod, direction, snapshot) for pod in reachable)
            if open_pods:
                touched = exposure(workload, direction, traffic.get((workload, direction), []))
                found.append(Gap(workload, direction, open_pods, len(reachable), touched))
    return sorted(found, key=lambda gap: (tuple(-figure for figure in gap.exposure.rank), gap.workload, gap.direction))


def is_isolated(pod: Pod, direction: Direction, snapshot: Snapshot) -> bool:
    """Whether an enforced policy selects the pod for the direction, for certain."""
    selection = snapshot.policies.select(pod.endpoint, direction)
    return any(item.is_certain and not item.policy.is_staged for _tier, chosen in selection.tiers for item in chosen)


def exposure(workload: SeenEnd, direction: Direction, records: list[Seen]) -> Exposure:
    """Of what was allowed: a denied try touched nothing."""
    peers: set[str] = set()
    namespaces: set[str] = set()
    outside: set[str] = set()
    connections = 0
    for seen in records:
        peer = seen.key.destination if direction == "egress" else seen.key.source
        if seen.key.action != "allowed" or peer == workload:
            continue
        connections += seen.connections
        peers.add(str(peer))
        if peer.kind == "outside":
            outside.add(peer.address)
        elif peer.kind == "workload" and peer.namespace != workload.namespace:
            namespaces.add(peer.namespace)
    return Exposure(tuple(sorted(peers)), tuple(sorted(namespaces)), len(outside), connections)


def _by_end(history: History) -> dict[tuple[SeenEnd, Direction], list[Seen]]:
    found: dict[tuple[SeenEnd, Direction], list[Seen]] = {}
    for seen in history.seen:
        found.setdefault((seen.key.source, "egress"), []).append(seen)
        found.setdefault((seen.key.destination, "ingress"), []).append(seen)
    return found


def gap_row(gap: Gap) -> dict[str, object]:
    """As it is printed."""
    touched = gap.exposure
    return {
        "workload": str(gap.workload),
        "direction": gap.direction,
        "open_pods": f"{gap.open_pods} of {gap.pods}",
        "outside": touched.outside,
        "namespaces": list(touched.namespaces),
        "peers": len(touched.peers),
        "connections": touched.connections,
        "seen_peers": list(touched.peers[:_SHOWN_PEERS]),
    }
