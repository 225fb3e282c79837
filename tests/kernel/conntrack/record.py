"""Records real messages for the unit tests: ``python -m tests.kernel.conntrack.record``, as root; review the diff."""

import gzip
import socket
import struct

from agents.node.namespace.reader import entered
from tests.kernel.conntrack.network import HOSTS, PORT, SERVICES, Network, exchange, network
from tests.support.conntrack_load import load, run
from tests.unit.agents.node.conntrack.reference import RECORDED, split

ENTRIES = 2200
RARE = """
-I -p sctp -s 10.3.0.1 -d 10.3.0.2 --sport 7 --dport 8 --state ESTABLISHED --orig-vtag 11 --reply-vtag 12 -t 500
-I -p udplite -s 10.3.0.1 -d 10.3.0.2 --sport 7 --dport 8 -t 500
-I -p gre -s 10.3.0.1 -d 10.3.0.2 --srckey 17 --dstkey 18 -t 500
-I -p 89 -s 10.3.0.1 -d 10.3.0.2 -t 500
-I -p icmpv6 -s fd03::1 -d fd03::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 4711 -t 500
-I -p icmp -s 10.3.0.1 -d 10.3.0.2 --icmp-type 13 --icmp-code 0 --icmp-id 4712 -t 500
-I -p udp -s 10.3.0.1 -d 10.3.0.2 --sport 7 --dport 8 -t 500 -w 31
-I -p udp -s 10.3.0.1 -d 10.3.0.2 --sport 7 --dport 8 -t 500 --orig-zone 32
-I -p udp -s 10.3.0.1 -d 10.3.0.3 --sport 7 --dport 8 -t 500 --reply-zone 33
-I -p tcp -s fd03::1 -d fd03::2 --sport 7 --dport 8 --state SYN_RECV -t 500 -w 34 -m 35
-I -p udp -s 10.3.0.1 -d 10.3.0.4 --sport 7 --dport 8 -r 10.3.0.4 -q 10.3.0.9 --reply-port-src 8 --reply-port-dst 7 -t 9
"""


def main() -> None:
    """Write both recordings."""
    with network() as there:
        events = listen(there.path)
        run("ip", "netns", "exec", there.name, "conntrack", "-R", "-", text=RARE.strip())
        traffic(there)
        load(there.name, 300)
        there.conntrack("-F")
        write("events", drain(events))
        load(there.name, ENTRIES)
        run("ip", "netns", "exec", there.name, "conntrack", "-R", "-", text=RARE.strip())
        traffic(there)
        write("dump", dump(there.path))


def traffic(there: Network) -> None:
    """Entries with counters, made by packets."""
    for version in (4, 6):
        there.ping(version)
        with there.server(version, socket.SOCK_DGRAM) as server, there.opened(version, socket.SOCK_DGRAM) as client:
            client.sendto(bytes(500), (HOSTS[version], PORT))
            server.sendto(bytes(700), server.recvfrom(600)[1])
        with there.server(version) as server:
            for address in ("", SERVICES[version]):
                with there.connection(version, server, address) as (client, peer):
                    exchange(client, peer, 5000, 7000)


def listen(path: str) -> socket.socket:
    with entered(path):
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    opened.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
    opened.bind((0, 5))
    opened.setblocking(False)
    return opened


def drain(events: socket.socket) -> bytes:
    found = bytearray()
    while True:
        try:
            found += events.recv(1 << 16)
        except BlockingIOError:
            return bytes(found)


def dump(path: str) -> bytes:
    with entered(path):
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    opened.send(struct.pack("=IHHII", 20, 0x0101, 0x0301, 1, 0) + bytes(4))
    found = bytearray()
    while True:
        for message in split(opened.recv(1 << 16)):
            if struct.unpack_from("=IH", message)[1] == 3:
                return bytes(found)
            found += message


def write(name: str, data: bytes) -> None:
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main()
