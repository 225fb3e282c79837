"""A node with two pods and a far network behind it, policies that drop and reject, and a service by DNAT."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from agents.node.namespace.reader import entered

CLIENT, SERVER, FAR = (
    {4: "10.72.1.2", 6: "fd72:1::2"},
    {4: "10.72.2.2", 6: "fd72:2::2"},
    {4: "10.72.3.2", 6: "fd72:3::2"},
)
SERVICE = {4: "10.72.96.10", 6: "fd72:96::10"}
OPEN, DROPPED, REJECTED, PROHIBITED = 8080, 9001, 9002, 9003
"""Ports of the servers, and what the policy does to each."""
SERVICE_PORT, SHUT_SERVICE_PORT = 80, 81
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

_RULES = f"""
table inet policies {{
  chain nat {{
    type nat hook prerouting priority dstnat;
    ip daddr {SERVICE[4]} meta l4proto {{ tcp, udp }} th dport {SERVICE_PORT} dnat ip to {SERVER[4]}:{OPEN}
    ip daddr {SERVICE[4]} meta l4proto {{ tcp, udp }} th dport {SHUT_SERVICE_PORT} dnat ip to {SERVER[4]}:{DROPPED}
    ip6 daddr {SERVICE[6]} meta l4proto {{ tcp, udp }} th dport {SERVICE_PORT} dnat ip6 to [{SERVER[6]}]:{OPEN}
    ip6 daddr {SERVICE[6]} meta l4proto {{ tcp, udp }} th dport {SHUT_SERVICE_PORT} dnat ip6 to [{SERVER[6]}]:{DROPPED}
  }}
  chain forward {{
    type filter hook forward priority filter;
    meta l4proto {{ tcp, udp }} th dport {DROPPED} drop
    tcp dport {REJECTED} reject with tcp reset
    meta l4proto {{ tcp, udp }} th dport {PROHIBITED} reject with icmpx admin-prohibited
  }}
}}
"""


class Network:
    """Four network namespaces: client pod, server pod, node, and a host behind the node."""

    def __init__(self, prefix: str) -> None:
        self.node, self.client, self.server, self.far = (
            f"{prefix}-{name}" for name in ("node", "client", "server", "far")
        )

    @staticmethod
    def path(name: str) -> str:
        return f"/run/netns/{name}"

    def build(self) -> None:
        for name in (self.node, self.client, self.server, self.far):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run(
            "ip", "netns", "exec", self.node, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"
        )
        for number, end in enumerate((self.client, self.server, self.far), 1):
            run("ip", "-n", self.node, "link", "add", f"v{number}", "type", "veth", "peer", "eth0", "netns", end)
            for name, device, host in ((self.node, f"v{number}", 1), (end, "eth0", 2)):
                run("ip", "-n", name, "addr", "add", f"10.72.{number}.{host}/24", "dev", device)
                run("ip", "-n", name, "addr", "add", f"fd72:{number}::{host}/64", "dev", device, "nodad")
                run("ip", "-n", name, "link", "set", device, "up")
            run("ip", "-n", end, "route", "add", "default", "via", f"10.72.{number}.1")
            run("ip", "-n", end, "-6", "route", "add", "default", "via", f"fd72:{number}::1")
        run("ip", "netns", "exec", self.node, "nft", "-f", "-", text=_RULES)

    def remove(self) -> None:
        for name in (self.client, self.server, self.far, self.node):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def tables(self) -> str:
        return run("ip", "netns", "exec", self.node, "nft", "list", "tables")

    @contextlib.contextmanager
    def serving(self, name: str, port: int = OPEN) -> Iterator[None]:
        """A TCP listener and a UDP socket on both families in this namespace."""
        with contextlib.ExitStack() as stack, entered(self.path(name)):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                server = stack.enter_context(socket.socket(socket.AF_INET6, kind))
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                server.bind(("::", port))
                if kind == socket.SOCK_STREAM:
                    server.listen(4096)
            yield

    def open(self, version: int, kind: socket.SocketKind, name: str = "") -> socket.socket:
        """A socket in a namespace, the client's unless told otherwise."""
        with entered(self.path(name or self.client)):
            return socket.socket(FAMILIES[version], kind)

    def listeners_of_loggroup(self) -> str:
        with entered(self.path(self.node)):
            return Path("/proc/thread-self/net/netfilter/nfnetlink_log").read_text()


@contextlib.contextmanager
def standing(name: str) -> Iterator[Network]:
    """Built, and gone afterwards; what another session left of that name goes first."""
    built = Network(name)
    built.remove()
    try:
        built.build()
        yield built
    finally:
        built.remove()


def run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def is_root() -> bool:
    return os.geteuid() == 0
