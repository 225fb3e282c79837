"""Policies as nftables rules: for each pod and direction that some policy speaks of, one chain a tier.

What is allowed returns to where the node asks the next question; what passes goes to the next tier's chain, and never
comes back; what is denied ends. Each rule names, in its comment, the policy's rule that it is.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from conntrail.lab.cluster import Pod
from conntrail.lab.policy.stack import Stack
from conntrail.lab.policy.value import Addresses, Match, Policy, Rule, Tier

_FAMILIES: Final = {4: "ip", 6: "ip6"}
_MOST_COMMENT: Final = 127
"""Bytes (NFTNL_UDATA_COMMENT_MAXLEN, libnftnl)."""
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def chain_name(pod: Pod, direction: str) -> str:
    """Name of the chain that decides first for a pod and a direction."""
    return f"{direction}_{pod.slot}"


def policy_chains(stack: Stack, pod: Pod, direction: str) -> Iterator[str]:
    """Lines of a pod's chains; none when no policy speaks of it. The last tier comes first, since others lead there."""
    chosen = stack.chosen(pod, direction)
    for number in reversed(range(len(chosen))):
        tier, policies = chosen[number]
        following = _chain(pod, direction, number + 1) if number + 1 < len(chosen) else ""
        yield f"  chain {_chain(pod, direction, number)} {{"
        for policy in policies:
            for rule in policy.rules[direction]:
                yield from _rule(policy, rule, following)
        yield from _end(tier, policies, following)
        yield "  }"


def _chain(pod: Pod, direction: str, number: int) -> str:
    return chain_name(pod, direction) + (f"_{number}" if number else "")


def _rule(policy: Policy, rule: Rule, following: str) -> Iterator[str]:
    comment = _comment(f"{policy.title} {rule.place} {rule.action}")
    for match in rule.matches:
        for line in _lines(match):
            if rule.action == "deny":
                yield from _denials(line, comment, does_reset=policy.does_reset and match.protocol in ("", "tcp"))
            elif rule.action == "pass":
                yield _joined(line, f"counter {_onward(following)}", comment)
            else:
                yield _joined(line, "counter return" if rule.action == "allow" else "counter", comment)


def _end(tier: Tier, policies: Sequence[Policy], following: str) -> Iterator[str]:
    comment = _comment(f"end of tier {tier.name}")
    if tier.denies_at_end:
        yield from _denials("", comment, does_reset=any(policy.does_reset for policy in policies))
    elif following:
        yield _joined(_onward(following), comment)


def _onward(following: str) -> str:
    """Behind the last tier everything is allowed."""
    return f"goto {following}" if following else "return"


def _denials(line: str, comment: str, *, does_reset: bool) -> Iterator[str]:
    """A reset answers TCP alone."""
    if does_reset:
        yield _joined(line, "meta l4proto tcp counter reject with tcp reset", comment)
    yield _joined(line, "counter drop", comment)


def _comment(text: str) -> str:
    return f'comment "{text[:_MOST_COMMENT]}"'


def _joined(*parts: str) -> str:
    return "    " + " ".join(part for part in parts if part)


def _lines(match: Match) -> Iterator[str]:
    """One for each family; one for both when no address is asked about."""
    traffic = list(_traffic(match))
    if not (match.source or match.destination or match.version):
        yield " ".join(traffic)
        return
    for version, family in _FAMILIES.items():
        if match.version in (0, version):
            ends = _ends(match, version, family)
            if ends is not None:
                yield " ".join([f"meta nfproto ipv{version}", *ends, *traffic])


def _ends(match: Match, version: int, family: str) -> list[str] | None:
    """None when no address of this family is meant."""
    words = []
    for field, ends in (("saddr", match.source), ("daddr", match.destination)):
        for addresses in ends:
            members = _networks(addresses, version)
            if members:
                words.append(f"{family} {field} {'!= ' if addresses.is_negated else ''}{_set(members)}")
            elif not addresses.is_negated:
                return None
    return words


def _networks(addresses: Addresses, version: int) -> list[str]:
    """Without overlaps, which nftables refuses in a set."""
    found = [ipaddress.ip_network(member, strict=False) for member in addresses.members]
    same: list[_Network] = [network for network in found if network.version == version]
    return [_text(network) for network in ipaddress.collapse_addresses(same)]  # type: ignore[type-var] # one family


def _text(network: _Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _traffic(match: Match) -> Iterator[str]:
    if match.not_protocol:
        yield f"meta l4proto != {match.not_protocol}"
    if match.protocol and not (match.ports or match.not_ports):
        yield f"meta l4proto {match.protocol}"
    if match.ports:
        yield f"{match.protocol} dport {_set(match.ports)}"
    if match.not_ports:
        yield f"{match.protocol} dport != {_set(match.not_ports)}"


def _set(members: Iterable[str]) -> str:
    texts = list(members)
    return texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"
