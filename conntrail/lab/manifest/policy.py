"""What the API server would refuse of a NetworkPolicy beyond the types of its fields."""

import ipaddress

from conntrail.errors import CommandError
from conntrail.lab.manifest.schema import Block, Peer, PolicyPort, PolicySpec, Selector

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_policy(place: str, spec: PolicySpec) -> None:
    """Raises CommandError."""
    check_selector(f"{place}: spec.podSelector", spec.pod_selector)
    for number, ingress in enumerate(spec.ingress):
        _check_rule(f"{place}: spec.ingress[{number}]", "from", ingress.from_, ingress.ports)
    for number, egress in enumerate(spec.egress):
        _check_rule(f"{place}: spec.egress[{number}]", "to", egress.to, egress.ports)


def _check_rule(field: str, side: str, peers: list[Peer], ports: list[PolicyPort]) -> None:
    for number, peer in enumerate(peers):
        _check_peer(f"{field}.{side}[{number}]", peer)
    for number, port in enumerate(ports):
        if port.end_port is not None and (not isinstance(port.port, int) or port.end_port < port.port):
            raise CommandError(f"{field}.ports[{number}].endPort: it needs a port by number, and not above it")


def _check_peer(field: str, peer: Peer) -> None:
    selectors = [selector for selector in (peer.pod_selector, peer.namespace_selector) if selector is not None]
    if not selectors and peer.ip_block is None:
        raise CommandError(f"{field}: expected podSelector, namespaceSelector or ipBlock")
    if selectors and peer.ip_block is not None:
        raise CommandError(f"{field}: ipBlock stands with no selector")
    for selector in selectors:
        check_selector(field, selector)
    if peer.ip_block is not None:
        _check_block(f"{field}.ipBlock", peer.ip_block)


def check_selector(field: str, selector: Selector) -> None:
    """Raises CommandError."""
    for expression in selector.match_expressions:
        if (expression.operator in ("In", "NotIn")) != bool(expression.values):
            needs = "values" if not expression.values else "no values"
            raise CommandError(f"{field}: matchExpressions: {expression.operator} needs {needs}")


def _check_block(field: str, block: Block) -> None:
    if "%" in block.cidr + "".join(block.except_):
        raise CommandError(f"{field}: a network has no zone")
    try:
        network = ipaddress.ip_network(block.cidr, strict=False)
        for text in block.except_:
            if not _is_within(ipaddress.ip_network(text, strict=False), network):
                raise CommandError(f"{field}.except: {text} is not within {block.cidr}")
    except ValueError as error:
        raise CommandError(f"{field}: {error}") from None


def _is_within(inner: _Network, outer: _Network) -> bool:
    if inner.version != outer.version or inner.prefixlen < outer.prefixlen:
        return False
    return inner.supernet(new_prefix=outer.prefixlen) == outer
