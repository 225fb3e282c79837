"""What this node can and cannot see, what is lost thereby, and what an operator can do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

State = Literal["ok", "degraded", "missing"]

LOST_AND_REMEDY: Final = {
    "conntrack_dump": (
        "connections that were there before the agent, and recovery after an overrun",
        "grant CAP_NET_ADMIN in the node's network namespace and load nf_conntrack_netlink",
    ),
    "conntrack_events": (
        "connections shorter than an interval",
        "grant CAP_NET_ADMIN in the node's network namespace and load nf_conntrack_netlink",
    ),
    "event_delivery": (
        "ends of connections that were there before the agent",
        "set net.netfilter.nf_conntrack_events=1",
    ),
    "accounting": (
        "bytes and packets",
        "set net.netfilter.nf_conntrack_acct=1; it counts for connections made afterwards",
    ),
    "timestamps": (
        "exact starts of connections: the time when each was first seen stands in",
        "set net.netfilter.nf_conntrack_timestamp=1",
    ),
    "attempts": (
        "denied connection attempts",
        "grant CAP_NET_ADMIN, install nft, load nfnetlink_log, or choose a free group by CONNTRAIL_AGENT__NFLOG_GROUP",
    ),
    "dns": (
        "DNS exchanges and names of destinations",
        "as for attempts; the group is chosen by CONNTRAIL_AGENT__PAYLOAD_GROUP",
    ),
    "dns_times": (
        "latencies of DNS answers that are made on the node, as by a cache",
        "choose a free group by CONNTRAIL_AGENT__PROMPT_GROUP",
    ),
    "applications": (
        "HTTP and TLS exchanges and application protocols",
        "as for dns; first bytes are read by Linux 5.16 and nft 1.0.1 or newer",
    ),
    "sockets": (
        "TCP figures, and with them the processes",
        "grant CAP_NET_ADMIN and load inet_diag and tcp_diag",
    ),
    "processes": (
        "names of processes",
        "share the node's pid namespace (hostPID) and grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
    ),
    "pod_namespaces": (
        "sockets and processes inside pods",
        "share the node's pid namespace (hostPID) and grant CAP_SYS_ADMIN and CAP_SYS_PTRACE",
    ),
}
NAMES: Final = tuple(LOST_AND_REMEDY)


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing to be seen, and whether it is."""

    name: str
    state: State
    reason: str = ""

    def describe(self) -> dict[str, str]:
        """For the log: the state, and unless it is ok the reason, the loss and the remedy."""
        if self.state == "ok":
            return {"state": "ok"}
        lost, remedy = LOST_AND_REMEDY[self.name]
        return {"state": self.state, "reason": self.reason, "lost": lost, "remedy": remedy}


def describe_all(capabilities: Iterable[Capability]) -> dict[str, dict[str, str]]:
    """The capability record of a node, as one object."""
    return {capability.name: capability.describe() for capability in capabilities}
