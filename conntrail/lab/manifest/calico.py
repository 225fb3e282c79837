"""Form of Calico's policies, tiers and sets of networks, projectcalico.org/v3.

A field that is not known, or that the lab cannot enforce, is refused: left out, the policy would say something else.
"""

import math
from typing import Annotated, Literal

import msgspec

from conntrail.errors import CommandError
from conntrail.lab.manifest.network import check_network
from conntrail.lab.manifest.schema import PolicySpec
from conntrail.lab.policy.calico import is_name
from conntrail.lab.policy.expression import SelectorError, parse_selector

_WITH_PORTS = ("tcp", "udp", "sctp", "6", "17", "132")
_LAST_PORT = 65535
_ProtocolName = Literal["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "tcp", "udp", "sctp", "icmp", "icmpv6"]
_Protocol = _ProtocolName | Annotated[int, msgspec.Meta(ge=1, le=255)]


class _Strict(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    pass


class _Entity(_Strict):
    nets: list[str] = []
    not_nets: list[str] = []
    selector: str = ""
    not_selector: str = ""
    namespace_selector: str = ""


class _Destination(_Entity):
    ports: list[int | str] = []
    not_ports: list[int | str] = []


class _Rule(_Strict):
    action: Literal["Allow", "Deny", "Pass", "Log"]
    ip_version: Literal[4, 6] | None = msgspec.field(name="ipVersion", default=None)
    protocol: _Protocol | None = None
    not_protocol: _Protocol | None = None
    source: _Entity = msgspec.field(default_factory=_Entity)
    destination: _Destination = msgspec.field(default_factory=_Destination)
    metadata: dict[str, dict[str, str]] = {}
    """Annotations."""


class CalicoSpec(_Strict):
    """What all of Calico's policies have."""

    tier: str = "default"
    order: float | None = None
    selector: str = ""
    types: list[Literal["Ingress", "Egress"]] = []
    ingress: list[_Rule] = []
    egress: list[_Rule] = []
    performance_hints: list[str] = []


class CalicoPolicySpec(CalicoSpec):
    """Of a NetworkPolicy."""


class GlobalPolicySpec(CalicoSpec):
    """Of a GlobalNetworkPolicy."""

    namespace_selector: str = ""


class StagedPolicySpec(CalicoSpec):
    """Of a StagedNetworkPolicy."""

    staged_action: Literal["Set", "Delete"] = "Set"


class StagedGlobalPolicySpec(GlobalPolicySpec):
    """Of a StagedGlobalNetworkPolicy."""

    staged_action: Literal["Set", "Delete"] = "Set"


class StagedKubernetesSpec(PolicySpec):
    """Of a StagedKubernetesNetworkPolicy."""

    staged_action: Literal["Set", "Delete"] = "Set"


class TierSpec(_Strict):
    """Of a Tier."""

    order: float | None = None
    default_action: Literal["Deny", "Pass"] = "Deny"


class NetworkSetSpec(_Strict):
    """Of a NetworkSet or GlobalNetworkSet."""

    nets: list[str] = []


def check_calico(place: str, spec: CalicoSpec | NetworkSetSpec) -> None:
    """What Calico's API server would refuse beyond the types of fields. Raises CommandError."""
    if isinstance(spec, NetworkSetSpec):
        _check_networks(f"{place}: spec.nets", spec.nets)
        return
    if spec.order is not None and not math.isfinite(spec.order):
        raise CommandError(f"{place}: spec.order: expected a number")
    _check_selector(f"{place}: spec.selector", spec.selector)
    if isinstance(spec, GlobalPolicySpec):
        _check_selector(f"{place}: spec.namespaceSelector", spec.namespace_selector)
    for direction, rules in (("ingress", spec.ingress), ("egress", spec.egress)):
        for number, rule in enumerate(rules):
            _check_rule(f"{place}: spec.{direction}[{number}]", rule)


def _check_rule(field: str, rule: _Rule) -> None:
    for side, entity in (("source", rule.source), ("destination", rule.destination)):
        _check_networks(f"{field}.{side}.nets", entity.nets)
        _check_networks(f"{field}.{side}.notNets", entity.not_nets)
        for name, text in (
            ("selector", entity.selector),
            ("notSelector", entity.not_selector),
            ("namespaceSelector", entity.namespace_selector),
        ):
            _check_selector(f"{field}.{side}.{name}", text)
    for name, ports in (("ports", rule.destination.ports), ("notPorts", rule.destination.not_ports)):
        if ports and str(rule.protocol).lower() not in _WITH_PORTS:
            raise CommandError(f"{field}.destination.{name}: ports need protocol TCP, UDP or SCTP")
        for index, port in enumerate(ports):
            _check_port(f"{field}.destination.{name}[{index}]", port, may_be_name=name == "ports")


def _check_port(field: str, port: int | str, *, may_be_name: bool) -> None:
    if is_name(port):
        if not may_be_name:
            raise CommandError(f"{field}: the lab enforces numbers and ranges there, not the name {port!r:.60}")
        if not port or ":" in str(port):
            raise CommandError(f"{field}: {port!r:.60} is neither a port, nor a range such as 80:90, nor a name")
        return
    limits = [int(text) if text.isdecimal() and len(text) <= 5 else -1 for text in str(port).split(":")]  # noqa: PLR2004 - digits of 65535
    if len(limits) > 2 or min(limits) < 0 or max(limits) > _LAST_PORT or limits != sorted(limits):  # noqa: PLR2004 - both ends of a range
        raise CommandError(f"{field}: {port!r:.60} is neither a port, nor a range such as 80:90, nor a name")


def _check_networks(field: str, networks: list[str]) -> None:
    for index, network in enumerate(networks):
        check_network(f"{field}[{index}]", network, may_be_address=True)


def _check_selector(field: str, text: str) -> None:
    try:
        parse_selector(text)
    except SelectorError as error:
        raise CommandError(f"{field}: {error}") from None
