"""Addresses outside the cluster as blocks: each alone while they are few, wider ones when there are many.

Clients from the whole Internet, or a service behind thousands of addresses, are no list: the next one is not on it.
Wide public blocks leave private networks out, and no wide block holds a pod, a node, or whatever was denied.
"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network
from typing import Final

from conntrail.policy.recommend.peer import BlockPeer

MAXIMUM_BLOCKS: Final = 32
"""Of a family, private and public each, in a rule."""
_LAST_RESORT: Final = 256
"""Private blocks that are borne before a whole private network, which holds pods too, is let in."""
Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
_WIDER: Final = {4: (24, 16), 6: (64, 48)}
"""What is usually one network, and what is usually one site."""
_PRIVATE: Final[tuple[_Network, ...]] = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
                 "fc00::/7", "fe80::/10")
)  # fmt: skip
"""RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291."""
_EVERYTHING: Final[dict[int, _Network]] = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


def exact_blocks(addresses: Iterable[str]) -> tuple[BlockPeer, ...]:
    """No address more than these."""
    networks = [ip_network(address) for address in sorted(set(addresses))]
    return tuple(BlockPeer(str(block)) for version in _WIDER for block in collapse_addresses(_of(version, networks)))


def parse_all(addresses: Iterable[str]) -> frozenset[Address]:
    """Parsed once for many calls of ``blocks``."""
    return frozenset(ip_address(address) for address in addresses)


def blocks(addresses: Iterable[str], kept_out: frozenset[Address]) -> tuple[BlockPeer, ...]:
    """Few blocks with all of ``addresses``; the wide ones hold none of ``kept_out`` that a narrower one leaves out."""
    parsed = parse_all(addresses)
    found: list[BlockPeer] = []
    for version in _WIDER:
        for is_private in (True, False):
            chosen = [item for item in parsed if item.version == version and _is_private(item) == is_private]
            if chosen:
                found += _few(chosen, kept_out, is_private=is_private)
    return tuple(found)


def _few(addresses: Sequence[Address], kept_out: frozenset[Address], *, is_private: bool) -> Iterator[BlockPeer]:
    exact = _narrowest(addresses)
    if len(exact) <= MAXIMUM_BLOCKS:
        yield from (BlockPeer(str(block)) for block in exact)
        return
    version, own = addresses[0].version, frozenset(addresses)
    foreign = [item for item in kept_out - own if item.version == version]
    ladder = [exact, *(_widened(addresses, length, foreign) for length in _WIDER[version])]
    for step in ladder:
        if len(step) <= MAXIMUM_BLOCKS:
            yield from (BlockPeer(str(block)) for block in step)
            return
    fewest = min(ladder, key=len)
    if is_private and len(fewest) <= _LAST_RESORT:
        yield from (BlockPeer(str(block)) for block in fewest)
    elif is_private:
        held = {network for network in _PRIVATE for item in addresses if item in network}
        yield from (_without(network, foreign) for network in sorted(held, key=str))
    else:
        private = [str(network) for network in _PRIVATE if network.version == version]
        whole = _without(_EVERYTHING[version], [item for item in foreign if not _is_private(item)])
        yield BlockPeer(whole.cidr, (*private, *whole.exceptions))


def _narrowest(addresses: Sequence[Address]) -> list[_Network]:
    return list(collapse_addresses(_of(addresses[0].version, [ip_network(str(item)) for item in addresses])))


def _widened(addresses: Sequence[Address], length: int, foreign: Sequence[Address]) -> list[_Network]:
    """Blocks of this length, but where somebody else is in one, only the addresses of it."""
    by_block: dict[_Network, list[Address]] = {}
    for item in addresses:
        by_block.setdefault(ip_network(f"{item}/{length}", strict=False), []).append(item)
    taken = {ip_network(f"{item}/{length}", strict=False) for item in foreign}
    return [
        network
        for block, members in sorted(by_block.items(), key=lambda pair: str(pair[0]))
        for network in (_narrowest(members) if block in taken else [block])
    ]


def _without(network: _Network, foreign: Sequence[Address]) -> BlockPeer:
    """Too many exceptions are no rule that anybody could read; then the proof decides."""
    inside = sorted({str(ip_network(str(item))) for item in foreign if item in network})
    return BlockPeer(str(network), tuple(inside) if len(inside) <= MAXIMUM_BLOCKS else ())


def _is_private(address: Address) -> bool:
    return any(address in network for network in _PRIVATE)


def _of(version: int, networks: Iterable[_Network]) -> list[IPv4Network]:
    """One family; the library's functions are generic over it, which no annotation can say of a list of both."""
    return [network for network in networks if network.version == version]  # type: ignore[misc]  # see above
