"""The peers of a rule of Cilium: endpoints, entities, networks and names.

Source: docs.cilium.io, "Layer 3 policies".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streams.policy.cilium.condition import Endpoints, Host, Inside, NamedLike, Outside
from streams.policy.cilium.labels import asks_namespace, parse_endpoints
from streams.policy.cilium.name import parse_name
from streams.policy.combination import AllOf, AnyOf
from streams.policy.compilation import Compilation
from streams.policy.condition import Condition, InNetwork, InNetworks, OfFamily
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_text, refuse_unknown, show
from streams.policy.network import Network, parse_network
from streams.policy.question import Direction

FIELDS: Final[Mapping[Direction, Mapping[str, str]]] = {
    "ingress": {
        "fromEndpoints": "endpoints",
        "fromEntities": "entities",
        "fromCIDR": "cidr",
        "fromCIDRSet": "cidr set",
    },
    "egress": {
        "toEndpoints": "endpoints",
        "toEntities": "entities",
        "toCIDR": "cidr",
        "toCIDRSet": "cidr set",
        "toFQDNs": "names",
    },
}
_ENTITIES: Final[Mapping[str, Condition]] = {
    "all": AnyOf((Inside(), Outside())),
    "world": Outside(),
    "world-ipv4": AllOf((Outside(), OfFamily(4))),
    "world-ipv6": AllOf((Outside(), OfFamily(6))),
    "cluster": Inside(),
    "host": Host("own"),
    "remote-node": Host("other"),
}


def parse_peers(
    rule: Mapping[str, object], direction: Direction, where: str, compilation: Compilation
) -> tuple[Condition, ...] | None:
    """Read the peers; None where none is named. A list that is empty names nobody."""
    named = [name for name in FIELDS[direction] if rule.get(name) is not None]
    if not named:
        return None
    return tuple(condition for name in named for condition in _parse_list(rule, name, direction, where, compilation))


def _parse_list(
    rule: Mapping[str, object], name: str, direction: Direction, where: str, compilation: Compilation
) -> tuple[Condition, ...]:
    kind = FIELDS[direction][name]

    def parse(item: object, path: str) -> Iterable[Condition]:
        return _parse(kind, item, path, compilation.namespace)

    return compilation.alternatives(parse, as_list(rule[name], f"{where}.{name}"), f"{where}.{name}")


def _parse(kind: str, raw: object, where: str, namespace: str) -> Iterator[Condition]:
    match kind:
        case "endpoints":
            selector = parse_endpoints(raw, where)
            yield Endpoints(namespace if namespace and not asks_namespace(selector) else None, selector)
        case "entities":
            entity = _ENTITIES.get(as_text(raw, where))
            if entity is None:
                raise PolicyFault(f"{where}: not known here: entity {show(raw)}")
            yield entity
        case "cidr":
            yield AllOf((Outside(), InNetworks((_parse_block(raw, where),))))
        case "cidr set":
            yield AllOf((Outside(), _parse_block_set(raw, where)))
        case _:
            yield NamedLike(parse_name(raw, where))


def _parse_block(raw: object, where: str) -> Network:
    text = as_text(raw, where)
    return parse_network(text if "/" in text else f"{text}/{128 if ':' in text else 32}", where)


def _parse_block_set(raw: object, where: str) -> InNetwork:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, frozenset({"cidr", "except"}), where)
    exceptions = as_list(fields.get("except"), f"{where}.except")
    return InNetwork(
        _parse_block(fields.get("cidr"), f"{where}.cidr"),
        tuple(_parse_block(item, f"{where}.except[{index}]") for index, item in enumerate(exceptions)),
    )
