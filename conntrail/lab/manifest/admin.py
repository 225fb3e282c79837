"""Form of AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

A field that is not known is refused: left out, the policy would say something else.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from conntrail.errors import CommandError
from conntrail.lab.manifest.network import check_network
from conntrail.lab.manifest.policy import check_selector
from conntrail.lab.manifest.schema import Number, Protocol, Selector

_BASELINE_NAME = "default"


class _Strict(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    pass


class _Pods(_Strict):
    namespace_selector: Selector = msgspec.field(default_factory=Selector)
    pod_selector: Selector = msgspec.field(default_factory=Selector)


class _Near(_Strict):
    """A subject, or a peer of ingress."""

    namespaces: Selector | None = None
    pods: _Pods | None = None


class _Far(_Near):
    """A peer of egress."""

    nodes: Selector | None = None
    networks: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None


class _Range(_Strict):
    start: Number
    end: Number
    protocol: Protocol = "TCP"


class _NumberedPort(_Strict):
    port: Number
    protocol: Protocol = "TCP"


class _Port(_Strict):
    port_number: _NumberedPort | None = None
    port_range: _Range | None = None
    named_port: str | None = None


class _Limits(_Strict):
    start: Number
    end: Number


class _DestinationPort(_Strict):
    number: Number | None = None
    range: _Limits | None = None


class _OfProtocol(_Strict):
    destination_port: _DestinationPort | None = None


class _Traffic(_Strict):
    tcp: _OfProtocol | None = None
    udp: _OfProtocol | None = None
    sctp: _OfProtocol | None = None
    destination_named_port: str | None = None


_Peers = Annotated[list[_Near], msgspec.Meta(min_length=1)]
_FarPeers = Annotated[list[_Far], msgspec.Meta(min_length=1)]
_AdminAction = Literal["Allow", "Deny", "Pass"]
_BaselineAction = Literal["Allow", "Deny"]
_ClusterAction = Literal["Accept", "Deny", "Pass"]


class _Ingress(_Strict, kw_only=True):
    from_: _Peers = msgspec.field(name="from")
    name: str = ""


class _Egress(_Strict, kw_only=True):
    to: _FarPeers
    name: str = ""


class _AdminIngress(_Ingress, kw_only=True):
    action: _AdminAction
    ports: list[_Port] = []


class _AdminEgress(_Egress, kw_only=True):
    action: _AdminAction
    ports: list[_Port] = []


class _BaselineIngress(_Ingress, kw_only=True):
    action: _BaselineAction
    ports: list[_Port] = []


class _BaselineEgress(_Egress, kw_only=True):
    action: _BaselineAction
    ports: list[_Port] = []


class _ClusterIngress(_Ingress, kw_only=True):
    action: _ClusterAction
    protocols: list[_Traffic] = []


class _ClusterEgress(_Egress, kw_only=True):
    action: _ClusterAction
    protocols: list[_Traffic] = []


_Priority = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class AdminSpec(_Strict):
    """Of an AdminNetworkPolicy."""

    priority: _Priority
    subject: _Near
    ingress: list[_AdminIngress] = []
    egress: list[_AdminEgress] = []


class BaselineSpec(_Strict):
    """Of a BaselineAdminNetworkPolicy."""

    subject: _Near
    ingress: list[_BaselineIngress] = []
    egress: list[_BaselineEgress] = []


class ClusterSpec(_Strict):
    """Of a ClusterNetworkPolicy."""

    tier: Literal["Admin", "Baseline"]
    priority: _Priority
    subject: _Near
    ingress: list[_ClusterIngress] = []
    egress: list[_ClusterEgress] = []


def check_admin_policy(place: str, name: str, spec: AdminSpec | BaselineSpec | ClusterSpec) -> None:
    """What the API server would refuse beyond the types of fields. Raises CommandError."""
    if isinstance(spec, BaselineSpec) and name != _BASELINE_NAME:
        raise CommandError(f"{place}: metadata.name: the only one there may be is called {_BASELINE_NAME}")
    _check_ends(f"{place}: spec.subject", spec.subject)
    received: Sequence[_Ingress] = spec.ingress
    sent: Sequence[_Egress] = spec.egress
    for number, ingress in enumerate(received):
        field = f"{place}: spec.ingress[{number}]"
        for index, near in enumerate(ingress.from_):
            _check_ends(f"{field}.from[{index}]", near)
        _check_ports(field, ingress)
    for number, egress in enumerate(sent):
        field = f"{place}: spec.egress[{number}]"
        for index, far in enumerate(egress.to):
            _check_ends(f"{field}.to[{index}]", far)
        _check_ports(field, egress)


def _check_ends(field: str, end: _Near) -> None:
    _check_one(field, end)
    selectors = [end.namespaces, *((end.pods.namespace_selector, end.pods.pod_selector) if end.pods else ())]
    if isinstance(end, _Far):
        selectors.append(end.nodes)
        for index, network in enumerate(end.networks or ()):
            check_network(f"{field}.networks[{index}]", network)
    for selector in selectors:
        if selector is not None:
            check_selector(field, selector)


def _check_ports(field: str, rule: _Ingress | _Egress) -> None:
    """Of v1alpha1 ports, of v1alpha2 protocols; a rule has but one of these fields."""
    ports: list[_Port] = getattr(rule, "ports", [])
    protocols: list[_Traffic] = getattr(rule, "protocols", [])
    for index, traffic in enumerate(protocols):
        _check_traffic(f"{field}.protocols[{index}]", traffic)
    for index, port in enumerate(ports):
        where = f"{field}.ports[{index}]"
        _check_one(where, port)
        if port.port_range is not None:
            _check_range(f"{where}.portRange", port.port_range)


def _check_traffic(field: str, traffic: _Traffic) -> None:
    _check_one(field, traffic)
    for name in ("tcp", "udp", "sctp"):
        asked: _OfProtocol | None = getattr(traffic, name)
        if asked is not None and asked.destination_port is not None:
            where = f"{field}.{name}.destinationPort"
            _check_one(where, asked.destination_port)
            if asked.destination_port.range is not None:
                _check_range(f"{where}.range", asked.destination_port.range)


def _check_range(field: str, limits: _Range | _Limits) -> None:
    if limits.end < limits.start:
        raise CommandError(f"{field}: end is below start")


def _check_one(field: str, chosen: msgspec.Struct) -> None:
    """Of these fields one is set."""
    names = {item.encode_name: getattr(chosen, item.name) for item in msgspec.structs.fields(type(chosen))}
    if sum(value is not None for value in names.values()) != 1:
        raise CommandError(f"{field}: expected exactly one of {', '.join(names)}")
