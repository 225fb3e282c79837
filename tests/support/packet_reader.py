"""Reads the payloads of a network namespace as a process of its own, whose cost can be told.

``python -m tests.support.packet_reader ours NETNS`` reads what the agent's rules show; ``everything NETNS DEVICE``
reads every packet from a raw socket and picks the same ones out with the same parser. It says when it is ready, goes on
until its standard input ends, and prints what it took.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from agents.node.application.options import ApplicationOptions
from agents.node.application.table import ApplicationTable
from agents.node.dns.table import DnsTable
from agents.node.namespace.reader import entered
from agents.node.payload.packet import Kind, Packet
from agents.node.payload.reader import SHOWN_AFTER_SECONDS, PayloadReader
from agents.node.payload.ruleset import DNS_BYTES, Groups, Selection
from agents.node.payload.writer import PayloadRules
from agents.publish.column import Column, LongColumn
from tests.unit.agents.node.hostile.capture import shown
from tests.unit.agents.node.hostile.pcap import Record

GROUP = 4713
PER_SECOND = 20_000
_EVERY_PROTOCOL = 3
"""ETH_P_ALL, linux/if_ether.h"""
_BUFFER_BYTES = 16 << 20
_SO_RCVBUFFORCE = 33
_STATISTICS = 6
"""PACKET_STATISTICS, linux/if_packet.h"""
_SOL_PACKET = 263
_AT_ONCE = 500
_DNS_KINDS = frozenset({Kind.DNS_QUERY, Kind.DNS_ANSWER})


class Taker:
    """Both tables, and how much came to them."""

    def __init__(self) -> None:
        self.dns, self.applications = DnsTable(), ApplicationTable(ApplicationOptions())
        self.packets = self.packet_bytes = 0

    def count(self, packets: int, packet_bytes: int) -> None:
        self.packets += packets
        self.packet_bytes += packet_bytes

    def note(self, packets: list[Packet]) -> None:
        self.dns.note([packet for packet in packets if packet.kind in _DNS_KINDS])
        self.applications.note([packet for packet in packets if packet.kind not in _DNS_KINDS])

    def exchanges(self) -> dict[str, int]:
        now_ns = time.time_ns()
        return {
            "dns": _sum(self.dns.take_report(now_ns, flush=True)),
            "application": _sum(self.applications.take_report(now_ns, flush=True)),
        }


class Ours:
    """What the kernel shows by the agent's rules."""

    def __init__(self, netns: str) -> None:
        groups = Groups(GROUP, GROUP + 1)
        self._rules = PayloadRules(netns, groups, Selection(PER_SECOND, (53,)), Selection(PER_SECOND, ()))
        self._reader = PayloadReader(netns, GROUP, _BUFFER_BYTES)
        self._reader.start()
        self._rules.install()
        self.lost = 0

    def fileno(self) -> int:
        return self._reader.fileno()

    def drain(self, taker: Taker) -> None:
        batch = self._reader.read()
        self.lost += batch.lost
        taker.count(len(batch.packets), sum(len(packet.payload) for packet in batch.packets))
        taker.note(batch.packets)

    def close(self) -> int:
        self._rules.remove()
        self._reader.close()
        return self.lost


class Everything:
    """Every packet of a device, cut to what the agent's rules would show of one."""

    def __init__(self, netns: str, device: str) -> None:
        with entered(netns):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PROTOCOL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        self._socket.bind((device, _EVERY_PROTOCOL))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self, taker: Taker) -> None:
        records: list[Record] = []
        with suppress(BlockingIOError):
            while len(records) < _AT_ONCE:
                records += [Record(time.time_ns() // 1000, self._socket.recv(DNS_BYTES))]
        taker.count(len(records), sum(len(record.packet) for record in records))
        taker.note(shown(records))

    def close(self) -> int:
        figures = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)
        self._socket.close()
        return int.from_bytes(figures[4:], sys.byteorder)


def main() -> None:
    kind, *arguments = sys.argv[1:]
    source: Ours | Everything = Ours(*arguments) if kind == "ours" else Everything(*arguments)
    taker = Taker()
    waiting = select.poll()
    for descriptor in (source.fileno(), sys.stdin.fileno()):
        waiting.register(descriptor, select.POLLIN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    before = time.process_time()
    _read(source.drain, taker, waiting)
    figures = {
        "seconds": time.process_time() - before,
        "packets": taker.packets,
        "bytes": taker.packet_bytes,
        "exchanges": taker.exchanges(),
        "lost": source.close(),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _read(drain: Callable[[Taker], None], taker: Taker, waiting: select.poll) -> None:
    while True:
        ready = [descriptor for descriptor, _ in waiting.poll()]
        if sys.stdin.fileno() in ready:
            break
        drain(taker)
    time.sleep(SHOWN_AFTER_SECONDS)
    before = -1
    while taker.packets != before:
        before = taker.packets
        drain(taker)


def _sum(columns: dict[str, Column]) -> int:
    counts = columns["count"]
    assert isinstance(counts, LongColumn)
    return int(counts.values.sum())


if __name__ == "__main__":
    main()
