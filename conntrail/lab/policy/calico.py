"""NetworkPolicy and GlobalNetworkPolicy of Calico, projectcalico.org/v3 (docs.tigera.io)."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from conntrail.lab.cluster import Cluster, Object, Pod
from conntrail.lab.kind import qualified_kind
from conntrail.lab.policy.annotation import does_reset
from conntrail.lab.policy.expression import parse_selector
from conntrail.lab.policy.peer import NamedPort, addresses_of, names_of, selectable_pods, with_named_port
from conntrail.lab.policy.value import DIRECTIONS, Action, Addresses, Match, Policy, Rule, Tier

_ACTIONS: Final[Mapping[str, Action]] = {"Allow": "allow", "Deny": "deny", "Pass": "pass", "Log": "log"}
_PROTOCOLS: Final = {"icmpv6": "ipv6-icmp", "58": "ipv6-icmp", "1": "icmp", "6": "tcp", "17": "udp", "132": "sctp"}


def calico_policy(cluster: Cluster, value: Object, tier: Tier) -> Policy:
    """Read one, of a form that was checked."""
    metadata, spec = value["metadata"], value["spec"]
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    kind = qualified_kind(value["apiVersion"], value["kind"])
    return Policy(
        title=f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}",
        tier=tier,
        order=float(spec.get("order", math.inf)),
        tie=f"{name}/{namespace}/{value['kind']}",
        subjects=names_of(_subjects(cluster, namespace, spec)),
        rules={
            direction: tuple(
                Rule(f"{direction}[{index}]", _ACTIONS[rule["action"]], tuple(_matches(cluster, namespace, rule)))
                for index, rule in enumerate(spec.get(direction, ()))
            )
            for direction in _directions(spec)
        },
        does_reset=does_reset(value),
    )


def _directions(spec: Mapping[str, Any]) -> list[str]:
    """Without types: those that have rules, ingress when none has."""
    types = spec.get("types") or [item for item in ("Ingress", "Egress") if spec.get(item.lower())] or ["Ingress"]
    return [direction for direction in DIRECTIONS if direction.capitalize() in types]


def _subjects(cluster: Cluster, namespace: str, spec: Mapping[str, Any]) -> Iterator[Pod]:
    is_selected = parse_selector(spec.get("selector", ""))
    is_there = parse_selector(spec.get("namespaceSelector", ""), is_of_namespaces=True)
    for pod in selectable_pods(cluster):
        if namespace and pod.namespace != namespace:
            continue
        if is_selected(_labels(pod), False) and is_there(_namespace_labels(cluster, pod.namespace), False):
            yield pod


def _matches(cluster: Cluster, namespace: str, rule: Mapping[str, Any]) -> Iterator[Match]:
    source, destination = rule.get("source", {}), rule.get("destination", {})
    whole = Match(
        source=tuple(_end(cluster, namespace, source)),
        destination=tuple(_end(cluster, namespace, destination)),
        protocol=_protocol(rule.get("protocol")),
        not_ports=tuple(map(_range, destination.get("notPorts", ()))),
        not_protocol=_protocol(rule.get("notProtocol")),
        version=rule.get("ipVersion", 0),
    )
    ports = destination.get("ports", ())
    numbers = tuple(_range(port) for port in ports if not is_name(port))
    if numbers or not ports:
        yield replace(whole, ports=numbers)
    for port in filter(is_name, ports):
        yield from with_named_port(cluster, whole, NamedPort(port, whole.protocol.upper()))


def is_name(port: object) -> bool:
    """Whether a port is neither a number nor a range."""
    return isinstance(port, str) and not port[:1].isdigit()


def _range(port: object) -> str:
    return str(port).replace(":", "-")


def _protocol(raw: object) -> str:
    text = "" if raw is None else str(raw).lower()
    return _PROTOCOLS.get(text, text)


def _end(cluster: Cluster, namespace: str, entity: Mapping[str, Any]) -> Iterator[Addresses]:
    """All of these must hold of the address. In a namespace, selectors mean what is in it, unless they say where."""
    if nets := entity.get("nets"):
        yield Addresses(frozenset(nets))
    if not_nets := entity.get("notNets"):
        yield Addresses(frozenset(not_nets), is_negated=True)
    selector, excluded, namespaces = (entity.get(name) for name in ("selector", "notSelector", "namespaceSelector"))
    if selector or namespaces or (excluded and namespace):
        where = namespaces or (f"projectcalico.org/name == '{namespace}'" if namespace else "")
        yield _selected(cluster, selector or "", where)
    if excluded:
        yield replace(_selected(cluster, excluded, ""), is_negated=True)


def _selected(cluster: Cluster, selector: str, namespaces: str) -> Addresses:
    """Pods and sets of networks."""
    is_selected, is_there = parse_selector(selector), parse_selector(namespaces, is_of_namespaces=True)

    def is_meant(labels: Mapping[str, str], namespace: str) -> bool:
        above = _namespace_labels(cluster, namespace) if namespace else {}
        return is_selected(labels, not namespace) and is_there(above, not namespace)

    pods = addresses_of(pod for pod in selectable_pods(cluster) if is_meant(_labels(pod), pod.namespace))
    return Addresses(pods.members.union(*_networks(cluster, is_meant)))


def _networks(cluster: Cluster, is_meant: Callable[[Mapping[str, str], str], bool]) -> Iterator[list[str]]:
    for value in [*cluster.of_kind("NetworkSet"), *cluster.of_kind("GlobalNetworkSet")]:
        namespace = value["metadata"].get("namespace", "")
        own = {"projectcalico.org/namespace": namespace} if namespace else {}
        if is_meant({**value["metadata"].get("labels", {}), **own}, namespace):
            yield value["spec"].get("nets", [])


def _labels(pod: Pod) -> Mapping[str, str]:
    """With those that Calico adds."""
    return {
        **pod.labels,
        "projectcalico.org/namespace": pod.namespace,
        "projectcalico.org/serviceaccount": pod.spec.get("serviceAccountName", "default"),
        "projectcalico.org/orchestrator": "k8s",
    }


def _namespace_labels(cluster: Cluster, namespace: str) -> Mapping[str, str]:
    return {**cluster.namespace_labels(namespace), "projectcalico.org/name": namespace}
