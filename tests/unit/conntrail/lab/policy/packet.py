"""What nftables would do with a first packet by the lab's form of policies, said in Python for tests."""

from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network

from conntrail.lab.cluster import Pod
from conntrail.lab.policy.stack import Stack
from conntrail.lab.policy.value import Addresses, Match, Policy


@dataclass(frozen=True, slots=True)
class Packet:
    source: str
    destination: str
    protocol: str
    """In small letters."""
    port: int


def is_let_through(stack: Stack, pod: Pod, direction: str, packet: Packet) -> bool:
    for tier, policies in stack.chosen(pod, direction):
        action = _action(policies, direction, packet)
        if action in ("allow", "deny"):
            return action == "allow"
        if action == "" and tier.denies_at_end:
            return False
    return True


def _action(policies: list[Policy], direction: str, packet: Packet) -> str:
    for policy in policies:
        for rule in policy.rules[direction]:
            if rule.action != "log" and any(_holds(match, packet) for match in rule.matches):
                return rule.action
    return ""


def _holds(match: Match, packet: Packet) -> bool:
    return (
        match.protocol in ("", packet.protocol)
        and (not match.not_protocol or match.not_protocol != packet.protocol)
        and (not match.ports or any(_is_in_range(item, packet.port) for item in match.ports))
        and not any(_is_in_range(item, packet.port) for item in match.not_ports)
        and match.version in (0, 6 if ":" in packet.source else 4)
        and all(_is_within(item, packet.source) for item in match.source)
        and all(_is_within(item, packet.destination) for item in match.destination)
    )


def _is_in_range(text: str, port: int) -> bool:
    first, _, last = text.partition("-")
    return int(first) <= port <= int(last or first)


def _is_within(addresses: Addresses, address: str) -> bool:
    return _is_member(addresses.members, address) != addresses.is_negated


@cache
def _is_member(members: frozenset[str], address: str) -> bool:
    parsed = ip_address(address)
    return any(parsed in ip_network(member, strict=False) for member in members)
