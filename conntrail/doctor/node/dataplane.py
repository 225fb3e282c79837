"""Which CNI a node has, who does its Services, and whether conntrack sees what pods send. Pure.

By names that these programs give to what they make: links, nftables tables and chains. Sources: each project's
documentation, and kubernetes/pkg/proxy for kube-proxy.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final

from conntrail.doctor.finding import Finding
from conntrail.doctor.node.check import CNI, DATAPLANE, TRACKING

_CNIS: Final = (
    ("Cilium", ("cilium_host", "cilium_net")),
    ("Calico", ("cali", "vxlan.calico", "tunl0@calico")),
    ("Antrea", ("antrea-gw0",)),
    ("OVN-Kubernetes", ("ovn-k8s-mp0",)),
    ("Flannel", ("flannel.", "flannel-v6.")),
    ("Weave Net", ("weave",)),
    ("kube-router", ("kube-bridge",)),
    ("Amazon VPC CNI", ("eni",)),
    ("the bridge plug-in", ("cni0",)),
)
"""Name, and how its links begin; the first that fits, as several leave links of the others behind."""
_OPEN_VSWITCH: Final = ("Antrea", "OVN-Kubernetes")
"""Those that forward pods by Open vSwitch, whose connections conntrack has in zones of their own."""
_CALICO_EBPF: Final = "bpfin.cali"
_PAST_HOOKS: Final = (
    "denials, DNS and heads of HTTP and TLS between pods, which pass no hook of nftables; their connections and bytes "
    "are seen, in Open vSwitch's zones of conntrack"
)
_NO_REMEDY: Final = "nothing on this node: traffic that leaves or enters it by its own stack is seen whole"


@dataclass(frozen=True, slots=True)
class Netfilter:
    """Names that the node's network namespace has."""

    links: AbstractSet[str]
    tables: AbstractSet[str]
    """``family name`` of nftables."""
    chains: AbstractSet[str]
    """Of all tables, those of iptables-nft too."""
    has_legacy_tables: bool
    """Tables of iptables-legacy, whose chains nft does not list."""
    has_ipvs: bool
    """IPVS has virtual servers."""
    exempting: AbstractSet[str] = frozenset()
    """Tables, as above, with rules that exempt packets from conntrack."""


def find_cni(links: AbstractSet[str]) -> str:
    """Its name, or empty where no link tells it."""
    for name, beginnings in _CNIS:
        if any(link.startswith(beginnings) for link in links):
            return name
    return ""


def find_proxy(netfilter: Netfilter) -> str:
    """Who translates Services; empty where nothing of netfilter does."""
    if {"ip kube-proxy", "ip6 kube-proxy"} & netfilter.tables:
        return "kube-proxy by nftables"
    if netfilter.has_ipvs:
        return "kube-proxy by IPVS"
    if "KUBE-SERVICES" in netfilter.chains:
        return "kube-proxy by iptables"
    return ""


def judge_cni(netfilter: Netfilter) -> Finding:
    """What was recognised; that nothing was is no fault."""
    found = find_cni(netfilter.links)
    return CNI.ok(found or "none recognised by its links: no pods here, or one that gives its links plain names")


def judge_tracking(netfilter: Netfilter) -> Finding:
    """Whether rules exempt packets from conntrack: of a cache of DNS on the node, or of policies that ask for it."""
    if netfilter.exempting:
        return TRACKING.degraded(f"rules without tracking in {', '.join(sorted(netfilter.exempting))}")
    if netfilter.has_legacy_tables:
        return TRACKING.skipped("rules of iptables-legacy are not shown by nft: iptables-legacy -t raw -S shows them")
    return TRACKING.ok("no rule of nftables exempts packets from conntrack")


def exempts_from_conntrack(listed: Iterable[Mapping[str, Any]]) -> bool:
    """``listed``: what nft lists of a table, as JSON (libnftables-json(5)); iptables-nft's target CT has no details."""
    for entry in listed:
        for expression in entry.get("rule", {}).get("expr", ()):
            if "notrack" in expression or expression.get("xt", {}).get("name") == "CT":
                return True
    return False


def judge_dataplane(netfilter: Netfilter) -> Finding:
    """Whether conntrack sees what pods send."""
    cni, proxy = find_cni(netfilter.links), find_proxy(netfilter)
    if any(link.startswith(_CALICO_EBPF) for link in netfilter.links):
        return DATAPLANE.degraded("Calico forwards pods by eBPF: conntrack may not see them")
    if cni == "Cilium" and not proxy and not netfilter.has_legacy_tables:
        return DATAPLANE.degraded(
            "Cilium forwards pods and Services by eBPF, without kube-proxy: conntrack is bypassed"
        )
    if cni == "Cilium":
        words = f"Services by {proxy}" if proxy else "Services by what iptables-legacy holds"
        return DATAPLANE.degraded(f"Cilium may forward pods by eBPF past conntrack; {words}")
    if cni in _OPEN_VSWITCH:
        return replace(DATAPLANE, lost=_PAST_HOOKS).degraded(f"{cni} forwards pods by Open vSwitch", _NO_REMEDY)
    if proxy:
        return DATAPLANE.ok(f"netfilter; Services by {proxy}")
    if netfilter.has_legacy_tables:
        return DATAPLANE.ok("netfilter; Services, if any, by iptables-legacy, whose chains nft does not show")
    return DATAPLANE.ok("netfilter; nobody translates Services here")
