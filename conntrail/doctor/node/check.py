"""What a node needs: the entries of the agent's capability record, in its own words, and what stands before them."""

from typing import Final

from agents.node.capability.record import LOST_AND_REMEDY
from conntrail.doctor.finding import Check

KERNEL: Final = Check("node", "kernel", "what the lines below say", "Linux 5.16 and nft 1.0.1 or newer see everything")
RIGHTS: Final = Check(
    "node",
    "rights",
    "what the lines below say",
    "grant the Linux capabilities that docs/doctor.md lists, or run it as root",
)
CNI: Final = Check("node", "cni", "nothing: it is told so that other lines are understood", "nothing")
DATAPLANE: Final = Check(
    "node",
    "dataplane",
    "connections, bytes and denials of what eBPF forwards past conntrack: of it only sockets are seen",
    "where pods are forwarded by eBPF, choose a way through the kernel's stack: Cilium with bpf.hostLegacyRouting and "
    "kube-proxy, Calico with the iptables or nftables dataplane",
)
TRACKING: Final = Check(
    "node",
    "tracking",
    "connections that the rules exempt: of them only sockets are seen, and DNS and requests where they are in clear",
    "nothing where it is meant so, as by NodeLocal DNSCache or Calico's doNotTrack; else remove the rules",
)
CAPABILITIES: Final = {name: Check("node", name, *told) for name, told in LOST_AND_REMEDY.items()}
CHECKS: Final = (KERNEL, RIGHTS, CNI, DATAPLANE, TRACKING, *CAPABILITIES.values())
