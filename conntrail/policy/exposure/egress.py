"""Egress that is insecure: unencrypted ports and nameless addresses outside, and rules that allow every destination."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.seen import History, Seen
from streams.policy.condition import InNetwork, PortRange
from streams.policy.describe import describe_policy_name, describe_rule
from streams.policy.policy import Rule

UNENCRYPTED: Final[Mapping[int, str]] = {
    20: "ftp", 21: "ftp", 23: "telnet", 25: "smtp", 69: "tftp", 80: "http", 110: "pop3", 119: "nntp", 143: "imap",
    161: "snmp", 389: "ldap", 512: "rexec", 513: "rlogin", 514: "syslog", 873: "rsync", 1883: "mqtt", 2049: "nfs",
    2181: "zookeeper", 5672: "amqp", 5900: "vnc", 6379: "redis", 8000: "http", 8080: "http", 11211: "memcached",
    27017: "mongodb",
}  # fmt: skip
"""Ports registered with IANA, or commonly used, for protocols that begin in clear text. The content is not seen."""

_DNS_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Insecurity:
    """One thing to look at."""

    who: str
    """A workload, or a policy."""
    problem: str
    """unencrypted-port, no-name, any-destination."""
    words: str
    connections: int


def insecure_egress(snapshot: Snapshot, history: History, namespace: str) -> list[Insecurity]:
    """The busiest first, rules last."""
    found = [
        item
        for seen in history.seen
        if seen.key.destination.kind == "outside"
        and seen.key.source.kind == "workload"
        and seen.key.action == "allowed"
        and (not namespace or seen.key.source.namespace == namespace)
        for item in _of_traffic(seen)
    ]
    found.sort(key=lambda item: (-item.connections, item.who, item.problem, item.words))
    return [*found, *_of_rules(snapshot, namespace)]


def insecurity_row(item: Insecurity) -> dict[str, object]:
    """As it is printed."""
    return {"who": item.who, "problem": item.problem, "connections": item.connections, "detail": item.words}


def _of_traffic(seen: Seen) -> Iterator[Insecurity]:
    key = seen.key
    where = f"{key.destination.address} {key.protocol} {key.port}" + (
        f" ({', '.join(seen.domains)})" if seen.domains else ""
    )
    protocol = UNENCRYPTED.get(key.port)
    if protocol is not None:
        words = f"{where}: {protocol} is not encrypted by itself"
        yield Insecurity(str(key.source), "unencrypted-port", words, seen.connections)
    if not seen.domains:
        yield Insecurity(str(key.source), "no-name", f"{where}: no name was seen for it", seen.connections)


def _of_rules(snapshot: Snapshot, namespace: str) -> Iterator[Insecurity]:
    for policy in snapshot.policies.policies:
        if policy.is_staged or (namespace and policy.namespace != namespace):
            continue
        for rule in policy.egress or ():
            if rule.action == "allow" and _allows_everywhere(rule):
                words = f"rule {rule.index}: {describe_rule(rule, 'egress')}"
                yield Insecurity(describe_policy_name(policy), "any-destination", words, 0)


def _allows_everywhere(rule: Rule) -> bool:
    """All addresses of a family; a rule for DNS alone is no way out."""
    if rule.peers is None:
        return not _is_for_dns(rule)
    return any(isinstance(peer, InNetwork) and _is_whole(peer) for peer in rule.peers)


def _is_whole(peer: InNetwork) -> bool:
    bits = 32 if peer.block.version == 4 else 128  # noqa: PLR2004 - IP version
    return peer.block.first == 0 and peer.block.last == 2**bits - 1


def _is_for_dns(rule: Rule) -> bool:
    ports = rule.ports or ()
    return bool(ports) and all(isinstance(port, PortRange) and port.first == port.last == _DNS_PORT for port in ports)
