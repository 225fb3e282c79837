"""A network namespace with real packets over its loopback: both families, translated both ways, and a dead port."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from agents.node.namespace.reader import entered
from tests.support.conntrack_load import run, tracking_namespace
from tests.support.waiting import until

HOSTS = {4: "10.79.0.1", 6: "fd79::1"}
SERVICES = {4: "10.79.96.10", 6: "fd79:96::10"}
TRANSLATED = {4: "10.79.0.2", 6: "fd79::2"}
"""The source that the service sees."""
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
PORT, SERVICE_PORT, DEAD_PORT = 8080, 80, 9
PING_ID = 4711
DEADLINE_SECONDS = 60.0

_RULES = f"""
table inet translate {{
  chain destination {{
    type nat hook output priority -100;
    ip daddr {SERVICES[4]} meta l4proto {{ tcp, udp }} th dport {SERVICE_PORT} dnat ip to {HOSTS[4]}:{PORT}
    ip6 daddr {SERVICES[6]} meta l4proto {{ tcp, udp }} th dport {SERVICE_PORT} dnat ip6 to [{HOSTS[6]}]:{PORT}
  }}
  chain source {{
    type nat hook postrouting priority 100;
    ct original ip daddr {SERVICES[4]} snat ip to {TRANSLATED[4]}
    ct original ip6 daddr {SERVICES[6]} snat ip6 to {TRANSLATED[6]}
  }}
}}
"""


@contextmanager
def network() -> Iterator["Network"]:
    """A name of its own, so that two runs do not meet."""
    name = f"ctread{os.getpid()}"
    with tracking_namespace(name) as path:
        for version, width in ((4, 32), (6, 128)):
            for address in (HOSTS[version], TRANSLATED[version]):
                run("ip", "-n", name, "address", "add", f"{address}/{width}", "dev", "lo", *_nodad(version))
            to, source = f"{SERVICES[version]}/{width}", HOSTS[version]
            run("ip", "-n", name, f"-{version}", "route", "add", to, "dev", "lo", "src", source)
        run("ip", "netns", "exec", name, "nft", _RULES)
        # By default an entry that was made while nobody listened never announces its end.
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.netfilter.nf_conntrack_events=1")
        yield Network(name, path)


class Network:
    """The namespace, while it is there."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path

    def opened(self, version: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        with entered(self.path):
            opened = socket.socket(FAMILIES[version], kind)
        opened.settimeout(DEADLINE_SECONDS)
        return opened

    @contextmanager
    def server(self, version: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[socket.socket]:
        with self.opened(version, kind) as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((HOSTS[version], PORT))
            if kind == socket.SOCK_STREAM:
                opened.listen()
            yield opened

    @contextmanager
    def connection(self, version: int, server: socket.socket, address: str = "") -> Iterator[list[socket.socket]]:
        """Client and server side of a TCP connection."""
        with self.opened(version) as client:
            client.connect((address or HOSTS[version], SERVICE_PORT if address else PORT))
            peer, _ = server.accept()
            with peer:
                peer.settimeout(DEADLINE_SECONDS)
                yield [client, peer]

    def conntrack(self, *arguments: str) -> str:
        return run("ip", "netns", "exec", self.name, "conntrack", *arguments)

    def insert(self, seconds: int) -> None:
        """One entry without packets."""
        ends = ("-s", "10.5.0.1", "-d", "10.5.0.2", "--sport", "5", "--dport", "6")
        self.conntrack("-I", "-p", "udp", *ends, "-t", str(seconds))

    def counted(self, *filters: str) -> list[tuple[int, int, int, int]]:
        """Packets and bytes, both ways, of each entry that the conntrack program lists."""
        found = []
        for line in self.conntrack("-L", *filters).splitlines():
            words = [word.split("=") for word in line.split() if "=" in word]
            packets = [int(value) for name, value in words if name == "packets"]
            sizes = [int(value) for name, value in words if name == "bytes"]
            found.append((packets[0], sizes[0], packets[1], sizes[1]))
        return sorted(found)

    def counted_when_closed(self, version: int) -> tuple[int, int, int, int]:
        """Of the only TCP connection, once both ends have closed it and no packet can follow."""
        filters = ("-f", f"ipv{version}", "-p", "tcp")
        until(lambda: "TIME_WAIT" in self.conntrack("-L", *filters))
        (counted,) = self.counted(*filters)
        return counted

    def ping(self, version: int) -> None:
        """One echo request of 64 bytes of ICMP, and its reply."""
        protocol = socket.IPPROTO_ICMP if version == 4 else socket.IPPROTO_ICMPV6
        with entered(self.path):
            opened = socket.socket(FAMILIES[version], socket.SOCK_RAW, protocol)
        with opened:
            opened.settimeout(DEADLINE_SECONDS)
            request = struct.pack("!BBHHH", 8 if version == 4 else 128, 0, 0, PING_ID, 1) + bytes(56)
            if version == 4:  # the kernel fills in the checksum of ICMPv6 only
                words = sum(struct.unpack("!32H", request))
                folded = (words & 0xFFFF) + (words >> 16)
                request = request[:2] + struct.pack("!H", ~folded & 0xFFFF) + request[4:]
            opened.sendto(request, (HOSTS[version], 0))
            reply = 0 if version == 4 else 129
            until(lambda: opened.recv(2000)[20 if version == 4 else 0] == reply)


def exchange(client: socket.socket, peer: socket.socket, request: int, answer: int) -> None:
    """Send both ways and wait until all has arrived."""
    for sender, receiver, size in ((client, peer, request), (peer, client, answer)):
        sender.sendall(bytes(size))
        left = size
        while left:
            received = len(receiver.recv(left))
            assert received, "the other end closed"
            left -= received


def _nodad(version: int) -> tuple[str, ...]:
    return ("nodad",) if version == 6 else ()
