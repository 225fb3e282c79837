"""A node between a client's and a server's network namespace: a service by DNAT, a policy that drops, counters.

The counters of nftables are the truth to compare with: they count the same packets as conntrack, by other code.
"""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterable, Iterator

from agents.node.namespace.reader import entered

CLIENT, SERVER, SERVICE, NODE = "10.71.1.2", "10.71.2.2", "10.71.96.10", "10.71.1.1"
PORT, DENIED_PORT, REJECTED_PORT = 8080, 9999, 9998
CLOSED_PORT = 9997
"""Nobody listens there, and nothing keeps anybody from it."""
SCANNED_PORTS = (20_000, 29_999)
"""Denied, from the first to the last."""
_RULES = f"""
table inet test {{
  counter original {{ }}
  counter reply {{ }}
  chain nat {{
    type nat hook prerouting priority dstnat;
    ip daddr {SERVICE} tcp dport 80 dnat ip to {SERVER}:{PORT}
  }}
  chain forward {{
    type filter hook forward priority filter;
    tcp dport {{ {DENIED_PORT}, {SCANNED_PORTS[0]}-{SCANNED_PORTS[1]} }} drop
    tcp dport {REJECTED_PORT} reject with tcp reset
    ct state invalid drop
    ip daddr {SERVER} tcp dport {PORT} counter name original
    ip saddr {SERVER} tcp sport {PORT} counter name reply
  }}
}}
"""


class Network:
    """Three network namespaces in a row."""

    def __init__(self, prefix: str) -> None:
        self.client, self.node, self.server = (f"{prefix}-{name}" for name in ("client", "node", "server"))

    @staticmethod
    def path(name: str) -> str:
        return f"/run/netns/{name}"

    def build(self) -> None:
        for name in (self.client, self.node, self.server):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        for end, subnet in ((self.client, 1), (self.server, 2)):
            run("ip", "-n", self.node, "link", "add", f"v{subnet}", "type", "veth", "peer", "eth0", "netns", end)
            run("ip", "-n", self.node, "addr", "add", f"10.71.{subnet}.1/24", "dev", f"v{subnet}")
            run("ip", "-n", end, "addr", "add", f"10.71.{subnet}.2/24", "dev", "eth0")
            run("ip", "-n", self.node, "link", "set", f"v{subnet}", "up")
            run("ip", "-n", end, "link", "set", "eth0", "up")
            run("ip", "-n", end, "route", "add", "default", "via", f"10.71.{subnet}.1")
        run("ip", "netns", "exec", self.node, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run("ip", "netns", "exec", self.node, "nft", "-f", "-", text=_RULES)

    def remove(self) -> None:
        for name in (self.client, self.node, self.server):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def counters(self) -> dict[str, tuple[int, int]]:
        """Packets and bytes by direction, as nftables counted them."""
        answer = json.loads(run("ip", "netns", "exec", self.node, "nft", "--json", "list", "counters"))
        found = [entry["counter"] for entry in answer["nftables"] if "counter" in entry]
        return {entry["name"]: (entry["packets"], entry["bytes"]) for entry in found if entry["table"] == "test"}

    def tables(self) -> str:
        return run("ip", "netns", "exec", self.node, "nft", "list", "tables")

    @contextlib.contextmanager
    def listening(self) -> Iterator[socket.socket]:
        """A server's socket."""
        with entered(self.path(self.server)):
            listener = socket.create_server((SERVER, PORT), reuse_port=False)
        listener.settimeout(10)
        with listener:
            yield listener

    def try_each(self, address: str, ports: Iterable[int]) -> None:
        """A first packet of the client to each port, whose answer nobody waits for."""
        with entered(self.path(self.client)):
            for port in ports:
                with socket.socket() as peer:
                    peer.setblocking(False)
                    peer.connect_ex((address, port))

    def dial(self, address: str = SERVICE, port: int = 80, timeout: float = 10) -> socket.socket:
        """A client's connection, to the service unless told otherwise."""
        with entered(self.path(self.client)):
            return socket.create_connection((address, port), timeout=timeout)


def run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def is_root() -> bool:
    return os.geteuid() == 0
