"""What each group of workloads needs in each direction, peer by peer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.seen import MAXIMUM_EXAMPLES, SeenEnd
from conntrail.policy.recommend.group import Group, Groups, key_of
from conntrail.policy.recommend.peer import NamedPeer, NodePeer, OutsidePeer, Peer, PodPeer
from conntrail.policy.recommend.port import EPHEMERAL_FROM, MAXIMUM_FIXED
from conntrail.policy.recommend.sift import Wanted
from streams.metadata.endpoint import Endpoint
from streams.policy.network import parse_address
from streams.policy.question import Direction

Ephemeral = Mapping[SeenEnd, frozenset[str]]
"""Protocols of which a destination gives out its high ports anew for each connection."""


@dataclass(slots=True)
class Need:
    """What goes on between a group and one peer."""

    ports: set[tuple[str, int]] = field(default_factory=set)
    """Protocol and destination port."""
    ephemeral: frozenset[str] = frozenset()
    wanted: list[Wanted] = field(default_factory=list)
    ends: set[SeenEnd] = field(default_factory=set)
    """The peer as it was seen."""
    is_dns: bool = False


Needs = dict[Peer, Need]
Demand = dict[tuple[Group, Direction], Needs]


def demand_of(wanted: Iterable[Wanted], groups: Groups, snapshot: Snapshot, *, by_name: bool) -> Demand:
    """``by_name``: destinations outside the cluster are meant by the names that were resolved, where flows tell any."""
    records = list(wanted)
    ephemeral = _ephemeral(records, snapshot)
    found: Demand = {}
    for item in records:
        key = item.seen.key
        sides: tuple[tuple[Direction, SeenEnd, SeenEnd], ...] = (
            ("egress", key.source, key.destination),
            ("ingress", key.destination, key.source),
        )
        for direction, own, far in sides:
            group = groups.of(own)
            if group is None or direction not in item.directions:
                continue
            needs = found.setdefault((group, direction), {})
            for peer in _peers(far, item, groups, snapshot, by_name=by_name and direction == "egress"):
                need = needs.setdefault(peer, Need())
                need.ports.add((key.protocol, key.port))
                need.ephemeral |= ephemeral.get(key.destination, frozenset())
                need.wanted.append(item)
                need.ends.add(far)
    return found


def _peers(end: SeenEnd, item: Wanted, groups: Groups, snapshot: Snapshot, *, by_name: bool) -> Iterator[Peer]:
    if end.kind == "outside":
        names = item.seen.domains
        # A list that is full may lack names.
        is_told = by_name and 0 < len(names) < MAXIMUM_EXAMPLES
        yield NamedPeer(names) if is_told else OutsidePeer(end.address)
    elif end.kind == "node":
        node = snapshot.nodes[end.name].endpoint
        yield node_peer(node.name, node)
    else:
        group = groups.of(end)
        if group is not None:
            yield PodPeer(group.namespace, group.selection)
        for pod in groups.hosts.get(key_of(end), ()):
            yield node_peer(pod.node_name, pod)


def node_peer(name: str, endpoint: Endpoint) -> NodePeer:
    """A node by its own endpoint, or by that of a pod on its network."""
    return NodePeer(name, tuple(address for address in endpoint.addresses if parse_address(address) is not None))


def _ephemeral(wanted: Iterable[Wanted], snapshot: Snapshot) -> Ephemeral:
    """A destination that was reached at many high ports, none of which a container of it names."""
    high: dict[tuple[SeenEnd, str], set[int]] = {}
    for item in wanted:
        key = item.seen.key
        if key.port >= EPHEMERAL_FROM:
            high.setdefault((key.destination, key.protocol), set()).add(key.port)
    found: dict[SeenEnd, frozenset[str]] = {}
    for (end, protocol), ports in high.items():
        named = {
            port.port
            for pod in snapshot.workloads.get(key_of(end), ())
            for port in pod.endpoint.ports
            if port.protocol == protocol
        }
        if len(ports - named) > MAXIMUM_FIXED:
            found[end] = found.get(end, frozenset()) | {protocol}
    return found
