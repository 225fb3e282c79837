"""Makes and removes network namespaces and what is in them, by the programs ip and nft."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import Cluster, Pod
from conntrail.lab.network.firewall import ruleset
from conntrail.lab.network.link import (
    FABRIC,
    OUTSIDE,
    attach_lines,
    fabric_lines,
    node_lines,
    outside_lines,
    pod_lines,
    pod_node_lines,
)

_FORWARDING: Final = (
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    # A router asks for its neighbours by its link-local address, which is its own only after a second or two of
    # duplicate address detection (RFC 4862): the first packets over IPv6 would be lost.
    "net.ipv6.conf.all.accept_dad=0",
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
)
_NAMESPACES: Final = Path("/run/netns")
_END_SECONDS: Final = 10.0


def make_namespaces(names: Iterable[str]) -> dict[str, int]:
    """Return the inode of each. Raises CommandError when one is there already, or the right to is missing."""
    made = {}
    for name in names:
        _run("ip", "netns", "add", name)
        made[name] = _inode(name)
    return made


def existing_namespaces(names: Iterable[str]) -> list[str]:
    """Those that are there."""
    return [name for name in names if _inode(name)]


def namespace_path(name: str) -> str:
    """Where a named network namespace is found."""
    return str(_NAMESPACES / name)


def apply_links(name: str, lines: Iterable[str]) -> None:
    """Run lines of ``ip -batch`` in a namespace."""
    _run("ip", "-n", name, "-batch", "-", text="\n".join(lines))


def allow_forwarding(name: str) -> None:
    """Make a namespace a router."""
    _run("ip", "netns", "exec", name, "sysctl", "-qw", *_FORWARDING)


def allow_ping(name: str) -> None:
    """Let root's group send echo requests by datagram sockets; a user namespace may have no other group."""
    _run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ping_group_range=0 0")


def apply_ruleset(name: str, script: str) -> None:
    """Load an nftables script in a namespace."""
    _run("ip", "netns", "exec", name, "nft", "-f", "-", text=script)


def tracked_connections(name: str) -> str:
    """What the conntrack program lists in a namespace, both families."""
    listings = [
        _run("ip", "netns", "exec", name, "conntrack", "-L", "-f", family, "-o", "extended,id")
        for family in ("ipv4", "ipv6")
    ]
    return "".join(listings)


def remove_namespaces(namespaces: Mapping[str, int]) -> None:
    """End every process in these namespaces and remove them; what is gone already is no error.

    A namespace with another inode than the one given is another lab's and stays. Inode 0: not known, it goes.
    Raises CommandError when a process does not end.
    """
    ours = [name for name, inode in namespaces.items() if _inode(name) and inode in (0, _inode(name))]
    deadline = time.monotonic() + _END_SECONDS
    for name in ours:
        _end(partial(processes_in, name), deadline)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def end_processes(found: Callable[[], list[int]]) -> bool:
    """End all that are found until none is; whether there was any. Raises CommandError when one does not end."""
    return _end(found, time.monotonic() + _END_SECONDS)


def processes_in(name: str) -> list[int]:
    """Ids of the processes in a namespace."""
    listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in listed.split()]


def connect_pod(pod: Pod) -> None:
    """Give a pod its link, addresses and routes; one on its node's network has them."""
    if pod.is_on_host_network:
        return
    apply_links(pod.node.name, pod_node_lines(pod))
    apply_links(pod.network_namespace, pod_lines(pod))
    allow_ping(pod.network_namespace)


def disconnect_pod(pod: Pod) -> None:
    """Take a pod's link away now; what is gone already is no error.

    Its network namespace goes later, when nobody looks into it any more, and until then the link would be in the way
    of the pod that is given the same slot.
    """
    if not pod.is_on_host_network:
        words = ["ip", "-n", pod.node.name, "link", "del", pod.interface]
        subprocess.run(words, capture_output=True, check=False)


def build_network(cluster: Cluster) -> None:
    """Everything in the namespaces of a cluster, which are there and empty."""
    for node in cluster.nodes:
        allow_forwarding(node.name)
    apply_links(FABRIC, fabric_lines())
    for number, name in enumerate([OUTSIDE, *(node.name for node in cluster.nodes)]):
        apply_links(FABRIC, attach_lines(name, number))
    apply_links(OUTSIDE, outside_lines())
    for node in cluster.nodes:
        allow_ping(node.name)
        apply_links(node.name, node_lines(cluster, node))
    for pod in cluster.pods:
        connect_pod(pod)
    enforce(cluster)


def enforce(cluster: Cluster) -> None:
    """Load every node's rules. Raises CommandError when nftables does not take them."""
    for node in cluster.nodes:
        apply_ruleset(node.name, ruleset(cluster, node))


def _inode(name: str) -> int:
    """0 when there is no such namespace."""
    try:
        return (_NAMESPACES / name).stat().st_ino
    except OSError:
        return 0


def _end(found: Callable[[], list[int]], deadline: float) -> bool:
    was_any = False
    while pids := found():
        was_any = True
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise CommandError(f"processes {pids} of the lab do not end")
        _reap(pids)
        time.sleep(0.005)
    return was_any


def _reap(pids: Iterable[int]) -> None:
    """Children of this very process are zombies until somebody asks for their end."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _run(*command: str, text: str | None = None) -> str:
    try:
        # It inherits the lock on the lab, and so keeps it to its end, should this process be killed.
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, close_fds=False)
    except FileNotFoundError as error:
        raise CommandError(f"the program {command[0]} is missing: run make setup") from error
    if done.returncode != 0:
        reason = (done.stderr.strip() or "no reason given").splitlines()[0]
        if "Operation not permitted" in done.stderr or "Permission denied" in done.stderr:
            raise CommandError("no network namespaces may be made here: the lab needs CAP_SYS_ADMIN and CAP_NET_ADMIN")
        raise CommandError(f"{' '.join(command[:6])}: {reason}")
    return done.stdout
