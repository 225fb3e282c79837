"""AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1, ClusterNetworkPolicy v1alpha2.

Nobody is isolated by being selected: the first rule that matches decides, by ascending priority, and Pass hands the
packet to the next tier (network-policy-api.sigs.k8s.io).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from conntrail.lab.cluster import Cluster, Object, Pod
from conntrail.lab.policy.annotation import does_reset
from conntrail.lab.policy.peer import NamedPort, addresses_of, names_of, pods_across, with_named_port, with_peer
from conntrail.lab.policy.value import DIRECTIONS, Action, Addresses, Match, Policy, Rule, Tier
from conntrail.lab.selector import matches

_ADMIN: Final = Tier(1_000.0, "admin", denies_at_end=False)
_BASELINE: Final = Tier(10_000_000.0, "baseline", denies_at_end=False)
"""Orders of the tiers in which Calico keeps them, so that its own may stand between."""
_SIDES: Final = {"ingress": "from", "egress": "to"}
_ACTIONS: Final[Mapping[str, Action]] = {"Allow": "allow", "Accept": "allow", "Deny": "deny", "Pass": "pass"}


def admin_policy(cluster: Cluster, value: Object) -> Policy:
    """Read one, of a form that was checked."""
    kind, name, spec = value["kind"], value["metadata"]["name"], value["spec"]
    is_baseline = kind == "BaselineAdminNetworkPolicy" or spec.get("tier") == "Baseline"
    return Policy(
        title=f"{kind} {name}",
        tier=_BASELINE if is_baseline else _ADMIN,
        order=float(spec.get("priority", 0)),
        tie=f"{name}/{kind}",
        subjects=names_of(_pods(cluster, spec["subject"])),
        rules={
            direction: tuple(
                Rule(f"{direction}[{index}]", _ACTIONS[rule["action"]], tuple(_matches(cluster, direction, rule)))
                for index, rule in enumerate(spec[direction])
            )
            for direction in DIRECTIONS
            if spec.get(direction)
        },
        does_reset=does_reset(value),
    )


def _pods(cluster: Cluster, chosen: Mapping[str, Any]) -> Iterator[Pod]:
    """Of a subject or a peer."""
    if "pods" in chosen:
        pods = chosen["pods"]
        return pods_across(cluster, pods.get("namespaceSelector", {}), pods.get("podSelector", {}))
    return pods_across(cluster, chosen["namespaces"], {})


def _matches(cluster: Cluster, direction: str, rule: Mapping[str, Any]) -> Iterator[Match]:
    for peer in rule[_SIDES[direction]]:
        match = with_peer(Match(), direction, _far_end(cluster, peer))
        ports = [*rule.get("ports", ()), *rule.get("protocols", ())]
        if not ports:
            yield match
        for port in ports:
            yield from _with_port(cluster, match, port)


def _far_end(cluster: Cluster, peer: Mapping[str, Any]) -> Addresses:
    if "networks" in peer:
        return Addresses(frozenset(peer["networks"]))
    if "nodes" in peer:
        nodes = [node for node in cluster.nodes if matches(peer["nodes"], node.labels)]
        return Addresses(frozenset(address for node in nodes for address in node.addresses))
    return addresses_of(_pods(cluster, peer))


def _with_port(cluster: Cluster, match: Match, port: Mapping[str, Any]) -> Iterator[Match]:
    """A port of v1alpha1, or a protocol of v1alpha2."""
    name = port.get("namedPort") or port.get("destinationNamedPort")
    if name is not None:
        yield from with_named_port(cluster, match, NamedPort(name))
        return
    protocol, limits = _port(port)
    yield Match(match.source, match.destination, protocol, limits)


def _port(port: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if number := port.get("portNumber"):
        return number.get("protocol", "TCP").lower(), (str(number["port"]),)
    if limits := port.get("portRange"):
        return limits.get("protocol", "TCP").lower(), (f"{limits['start']}-{limits['end']}",)
    ((protocol, asked),) = port.items()
    wanted = asked.get("destinationPort", {})
    if "range" in wanted:
        return protocol, (f"{wanted['range']['start']}-{wanted['range']['end']}",)
    return protocol, (str(wanted["number"]),) if wanted else ()
