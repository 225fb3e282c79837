"""A policy before it is written in any language: whom it selects, what it lets through, and on what grounds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from conntrail.policy.history.seen import Seen
from conntrail.policy.recommend.block import Address, blocks, exact_blocks
from conntrail.policy.recommend.demand import Demand, Need, Needs
from conntrail.policy.recommend.evidence import Evidence, evidence_of, many
from conntrail.policy.recommend.group import Group
from conntrail.policy.recommend.peer import BlockPeer, NodePeer, OutsidePeer, RulePeer, host_block, rank
from conntrail.policy.recommend.port import WITH_PORTS, Span, spans
from streams.policy.question import Direction

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_MAXIMUM_PORT_SETS: Final = 16
"""Different sets of ports for addresses outside; beyond them all of these addresses share one."""
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule: all of its peers at all of its ports."""

    peers: tuple[RulePeer, ...]
    spans: tuple[Span, ...]
    reasons: tuple[str, ...]
    """What was seen, a line each."""
    is_dns: bool = False

    @property
    def has_ports(self) -> bool:
        """False where a protocol is among them that a kind without a word for it can allow only with every port."""
        return all(span.protocol in WITH_PORTS for span in self.spans)


@dataclass(frozen=True, slots=True)
class Draft:
    """One policy; it isolates in both directions."""

    group: Group
    name: str
    ingress: tuple[Opening, ...]
    egress: tuple[Opening, ...]
    evidence: Evidence


def draft_of(group: Group, name: str, demand: Demand, kept_out: frozenset[Address], *, is_exact: bool) -> Draft:
    """``kept_out``: addresses that no wide block may hold; ``is_exact``: there are no wide blocks and ranges."""
    sides = {direction: demand.get((group, direction), {}) for direction in _DIRECTIONS}
    openings = {
        direction: tuple(sorted(_openings(needs, kept_out, is_exact=is_exact), key=_rank))
        for direction, needs in sides.items()
    }
    records = {item.seen.key: item.seen for needs in sides.values() for need in needs.values() for item in need.wanted}
    ends = {end for needs in sides.values() for need in needs.values() for end in need.ends}
    return Draft(group, name, openings["ingress"], openings["egress"], evidence_of(records.values(), len(ends)))


def _openings(needs: Needs, kept_out: frozenset[Address], *, is_exact: bool) -> Iterator[Opening]:
    """Peers with the same ports share a rule; DNS stands apart, so that nobody takes it away by mistake."""
    together: dict[tuple[tuple[Span, ...], bool], list[tuple[RulePeer, Iterable[str]]]] = {}
    outside: dict[tuple[Span, ...], dict[str, Need]] = {}
    for peer, need in needs.items():
        ports = _spans(need.ports, need.ephemeral, is_exact=is_exact)
        if isinstance(peer, OutsidePeer) and not need.is_dns:
            outside.setdefault(ports, {})[peer.address] = need
        else:
            said = BlockPeer(host_block(peer.address)) if isinstance(peer, OutsidePeer) else peer
            together.setdefault((ports, need.is_dns), []).append((said, _reasons(said, need)))
    if len(outside) > _MAXIMUM_PORT_SETS and not is_exact:
        outside = _merged(outside)
    for ports, addressed in outside.items():
        found = exact_blocks(addressed) if is_exact else blocks(addressed, kept_out)
        reasons = list(_outside_reasons(addressed, found))
        together.setdefault((ports, False), []).extend(
            (block, reasons if number == 0 else ()) for number, block in enumerate(found)
        )
    for (ports, is_dns), peers in together.items():
        ordered = sorted(peers, key=lambda item: rank(item[0]))
        reasons = [reason for _, lines in ordered for reason in lines]
        yield Opening(tuple(peer for peer, _ in ordered), ports, tuple(reasons), is_dns)


def _spans(ports: Iterable[tuple[str, int]], ephemeral: frozenset[str], *, is_exact: bool) -> tuple[Span, ...]:
    if is_exact:
        return tuple(Span(protocol, port, port) for protocol, port in sorted(ports))
    return spans(ports, ephemeral)


def _merged(outside: Mapping[tuple[Span, ...], Mapping[str, Need]]) -> dict[tuple[Span, ...], dict[str, Need]]:
    needs = {address: need for addressed in outside.values() for address, need in addressed.items()}
    ports = {pair for need in needs.values() for pair in need.ports}
    ephemeral = frozenset(name for need in needs.values() for name in need.ephemeral)
    return {spans(ports, ephemeral): needs}


def _reasons(peer: RulePeer, need: Need) -> Iterator[str]:
    """One line, and one more where a reader would wonder."""
    names = ", ".join(sorted(map(str, need.ends))[:_SHOWN]) or _name(peer)
    more = f" and {len(need.ends) - _SHOWN} more" if len(need.ends) > _SHOWN else ""
    yield f"{names}{more}: {evidence_of(_seen(need), len(need.ends))}"
    if need.is_dns:
        yield "DNS is kept, by UDP and by TCP for answers that are too long, whoever was seen asking"
    if isinstance(peer, NodePeer):
        yield "health checks come from here; by address, so run this again when nodes are replaced"
    if need.ephemeral:
        protocols = ", ".join(sorted(need.ephemeral))
        yield f"{protocols} ports above 32767 were others each time, so all of them (replies need no rule)"


def _name(peer: RulePeer) -> str:
    if isinstance(peer, NodePeer):
        return f"node/{peer.name}"
    if isinstance(peer, BlockPeer):
        return peer.cidr
    return "to all pods of the cluster" if not hasattr(peer, "namespace") else f"pods of {peer.namespace}"


def _outside_reasons(addressed: Mapping[str, Need], found: tuple[BlockPeer, ...]) -> Iterator[str]:
    for address, need in sorted(addressed.items())[:_SHOWN]:
        names = sorted({name for item in need.wanted for name in item.seen.domains})
        called = f" ({', '.join(names[:_SHOWN])})" if names else ""
        yield f"{address}{called}: {evidence_of(_seen(need), 1)}"
    if len(addressed) > _SHOWN:
        seen = [seen for need in addressed.values() for seen in _seen(need)]
        yield f"all {len(addressed)} addresses outside: {evidence_of(seen, len(addressed))}"
    if set(found) != set(exact_blocks(addressed)):
        shown = ", ".join(block.cidr for block in found[:_SHOWN])
        yield f"too many to name each: {many(len(found), 'block')} with others in them ({shown})"


def _seen(need: Need) -> list[Seen]:
    return list({item.seen.key: item.seen for item in need.wanted}.values())


def _rank(opening: Opening) -> tuple[bool, tuple[Span, ...], list[tuple[str, str]]]:
    return opening.is_dns, opening.spans, [rank(peer) for peer in opening.peers]
