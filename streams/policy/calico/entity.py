"""One end of a connection as a rule of Calico describes it: all of its fields must hold.

Semantics: docs.tigera.io, "EntityRule"; in a policy of a namespace, selectors stay in that namespace unless the rule
selects namespaces itself.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from streams.policy.calico.expression import Expression, both
from streams.policy.calico.parse import parse_expression
from streams.policy.calico.protocol import parse_port
from streams.policy.calico.selection import Selected, in_namespace, parse_account_match, parse_namespaces
from streams.policy.calico.service import BehindService
from streams.policy.combination import AnyOf, NoneOf
from streams.policy.compilation import Compilation
from streams.policy.condition import Condition, InNetworks, NamedBy
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_text, as_texts, refuse_unknown
from streams.policy.network import Network, parse_network

_FIELDS: Final = frozenset(
    {
        "nets",
        "notNets",
        "selector",
        "notSelector",
        "namespaceSelector",
        "ports",
        "notPorts",
        "domains",
        "serviceAccounts",
        "services",
    }
)
_SELECTORS: Final = ("selector", "notSelector", "namespaceSelector", "serviceAccounts")


def parse_source(raw: object, where: str, compilation: Compilation) -> tuple[Condition, ...]:
    """Read a source. Raise PolicyFault for what the rule as a whole hangs on."""
    entity = as_mapping(raw, where)
    refuse_unknown(entity, _FIELDS, where)
    for name in ("ports", "notPorts"):
        if entity.get(name):
            raise PolicyFault(f"{where}.{name}: cannot be judged, a connection's source port is in no record")
    return tuple(_parse_end(entity, where, compilation.namespace, is_destination=False))


def parse_destination(
    raw: object, protocol: str | None, where: str, compilation: Compilation
) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    """Read a destination: its end, and its ports. Raise PolicyFault for what the rule as a whole hangs on."""
    entity = as_mapping(raw, where)
    refuse_unknown(entity, _FIELDS, where)
    return (
        tuple(_parse_end(entity, where, compilation.namespace, is_destination=True)),
        tuple(_parse_ports(entity, protocol, where, compilation)),
    )


def _parse_end(
    entity: Mapping[str, object], where: str, namespace: str, *, is_destination: bool
) -> Iterator[Condition]:
    nets, not_nets = (_parse_networks(entity, name, where) for name in ("nets", "notNets"))
    selected = _parse_selected(entity, where, namespace)
    if nets:
        yield InNetworks(nets)
    if not_nets:
        yield NoneOf((InNetworks(not_nets),))
    if selected is not None:
        yield Selected(selected)
    if entity.get("notSelector"):
        yield NoneOf((Selected(parse_expression(entity["notSelector"], f"{where}.notSelector")),))
    if entity.get("domains"):
        yield _parse_domains(entity, where, is_destination=is_destination)
    if entity.get("services") is not None:
        yield _parse_service(entity["services"], f"{where}.services", namespace, is_destination=is_destination)


def _parse_domains(entity: Mapping[str, object], where: str, *, is_destination: bool) -> Condition:
    if not is_destination:
        raise PolicyFault(f"{where}.domains: only a destination is known by names")
    beside = [name for name in (*_SELECTORS, "nets", "notNets", "services") if entity.get(name)]
    if beside:
        raise PolicyFault(f"{where}.domains: not known together with {', '.join(beside)}")
    names = as_texts(entity.get("domains"), f"{where}.domains")
    return AnyOf(tuple(parse_domain(name, f"{where}.domains[{index}]") for index, name in enumerate(names)))


def _parse_selected(entity: Mapping[str, object], where: str, namespace: str) -> Expression | None:
    if not any(entity.get(name) for name in _SELECTORS):
        return None
    parts: list[Expression] = []
    if entity.get("namespaceSelector"):
        parts.append(parse_namespaces(entity["namespaceSelector"], f"{where}.namespaceSelector"))
    elif namespace:
        parts.append(in_namespace(namespace))
    if entity.get("serviceAccounts"):
        parts.append(parse_account_match(entity["serviceAccounts"], f"{where}.serviceAccounts"))
    if entity.get("selector"):
        parts.append(parse_expression(entity["selector"], f"{where}.selector"))
    # A rule of a cluster-wide policy that asks by notSelector alone is about addresses too.
    return both(iter(parts)) if parts else None


def _parse_networks(entity: Mapping[str, object], name: str, where: str) -> tuple[Network, ...]:
    nets = as_texts(entity.get(name), f"{where}.{name}")
    return tuple(parse_block(item, f"{where}.{name}[{index}]") for index, item in enumerate(nets))


def parse_block(text: str, where: str) -> Network:
    """Read a CIDR block; an address alone is a block of one."""
    whole = text if "/" in text else f"{text}/{128 if ':' in text else 32}"
    return parse_network(whole, where)


def parse_domain(name: str, where: str) -> NamedBy:
    """Read a host's name; one label of it, not the last, may be ``*``."""
    labels = name.lower().rstrip(".").split(".")
    wildcards = [index for index, label in enumerate(labels) if "*" in label]
    is_valid = not wildcards or (labels[wildcards[0]] == "*" and wildcards[0] < len(labels) - 1)
    if not all(labels) or len(wildcards) > 1 or not is_valid:
        raise PolicyFault(f"{where}: expected a name such as api.example.com or *.example.com, got {name!r:.60}")
    return NamedBy(".".join(labels))


def _parse_service(raw: object, where: str, namespace: str, *, is_destination: bool) -> BehindService:
    service = as_mapping(raw, where)
    refuse_unknown(service, frozenset({"name", "namespace"}), where)
    own = as_text(service.get("namespace") or namespace, f"{where}.namespace")
    if not own:
        raise PolicyFault(f"{where}.namespace: missing")
    return BehindService(own, as_text(service.get("name"), f"{where}.name"), is_destination)


def _parse_ports(
    entity: Mapping[str, object], protocol: str | None, where: str, compilation: Compilation
) -> Iterator[Condition]:
    for name in ("ports", "notPorts"):
        items = as_list(entity.get(name), f"{where}.{name}")
        if items:
            found = compilation.alternatives(
                lambda item, path: (parse_port(item, protocol, path),), items, f"{where}.{name}"
            )
            yield AnyOf(found) if name == "ports" else NoneOf(found)
