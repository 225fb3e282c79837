"""One socket of a client, with the kernel's times of what went and came."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from conntrail.lab.program.task import Order, Task
from conntrail.lab.program.truth.fact import ANSWERED, REFUSED, TIMEOUT, UNREACHABLE, Connection, Ends, Fact

_TURN_SECONDS: Final = 0.1
_TURNS: Final = 16
"""For an answer. Where the whole machine stands still, one of them is over and not all patience."""
_PATIENCE_SECONDS: Final = _TURN_SECONDS * _TURNS
_TIMESTAMP: Final = 35
"""SO_TIMESTAMPNS and SCM_TIMESTAMPNS (asm-generic/socket.h): when the packet came, not when we looked."""
_SENT_TIMESTAMPS: Final = 37
"""SO_TIMESTAMPING, of the same."""
_SENT_FLAGS: Final = 1 << 1 | 1 << 4 | 1 << 11
"""SOF_TIMESTAMPING_TX_SOFTWARE, _SOFTWARE and _OPT_TSONLY (linux/net_tstamp.h): when a packet went to its device."""
_READ_BYTES: Final = 65_536
_CONTROL_BYTES: Final = 256
_PROTOCOLS: Final = {
    **dict.fromkeys(("http", "keep", "tcp", "tls"), "tcp"),
    **dict.fromkeys(("udp", "dns"), "udp"),
    "ping": "icmp",
}
_T = TypeVar("_T")


class Dial:
    """A socket that is bound, and counts."""

    def __init__(self, opened: socket.socket, ends: Ends) -> None:
        self.socket = opened
        self.ends = ends
        self.sent = self.received = 0

    def connect(self) -> None:
        """Raises ConnectionError or TimeoutError."""
        self.socket.connect((self.ends.dialled_address, self.ends.dialled_port))
        self.socket.settimeout(_TURN_SECONDS)

    def send(self, data: bytes) -> int:
        """Send; the kernel's Unix time of the packet, ns, or ours just before where it tells none."""
        before = time.time_ns()
        self.socket.sendall(data)
        self.sent += len(data)
        return max(self._sent_at(), before)

    def receive(self) -> tuple[bytes, int]:
        """Some bytes, none at the end, and the kernel's Unix time of them, ns."""
        data, control, _, _ = patiently(lambda: self.socket.recvmsg(_READ_BYTES, _CONTROL_BYTES))
        self.received += len(data)
        return data, _stamp(control) or time.time_ns()

    def _sent_at(self) -> int:
        """Of the last packet, 0 when it waits for its way; what the queue of errors keeps would wake who receives."""
        at = 0
        self.socket.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                _, control, _, _ = self.socket.recvmsg(0, _CONTROL_BYTES, socket.MSG_ERRQUEUE)
                at = _stamp(control) or at
        self.socket.settimeout(_TURN_SECONDS)
        return at

    def receive_rest(self) -> None:
        """Until the other side ends."""
        while self.receive()[0]:
            pass

    def end(self) -> None:
        """Nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)


def patiently(wait: Callable[[], _T]) -> _T:
    """Wait on a connected socket, turn by turn. Raises TimeoutError after the last one, or another OSError."""
    for _ in range(_TURNS - 1):
        with suppress(TimeoutError):
            return wait()
    return wait()


@contextmanager
def dialled(
    order: Order, task: Task, facts: list[Fact], *, is_stream: bool = False, domain: str = ""
) -> Iterator[Dial]:
    """A socket for a task, which adds what became of it to the facts; failures of the network end with it.

    ``is_stream``: TCP, whatever the task's kind.
    """
    started, outcome = time.time_ns(), ANSWERED
    source = order.address6 if ":" in task.address else order.address
    protocol = "tcp" if is_stream else protocol_of(task)
    with _socket(task.address, protocol) as opened:
        opened.settimeout(_PATIENCE_SECONDS)
        opened.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        if not task.kind.startswith("tls"):  # which sends by itself: nobody would empty the queue, so it would not rest
            opened.setsockopt(socket.SOL_SOCKET, _SENT_TIMESTAMPS, _SENT_FLAGS)
        opened.bind((source, 0))
        dial = Dial(opened, Ends(protocol, source, opened.getsockname()[1], task.address, task.port))
        try:
            yield dial
        except ConnectionError:
            outcome = REFUSED
        except TimeoutError:
            outcome = TIMEOUT
        except OSError:
            outcome = UNREACHABLE
    is_answered = outcome == ANSWERED
    facts.append(
        Connection(
            dial.ends, task.service, task.servers, task.expect, task.by, task.direction, domain,
            started, time.time_ns(), dial.sent if is_answered else 0, dial.received if is_answered else 0, outcome,
        )
    )  # fmt: skip


def protocol_of(task: Task) -> str:
    """IANA's name in lower case."""
    if task.kind == "ping6":
        return "ipv6-icmp"
    return _PROTOCOLS[task.kind.removesuffix("6")]


def _stamp(control: list[tuple[int, int, bytes]]) -> int | None:
    """What the kernel says beside a packet, Unix time in ns."""
    for level, kind, value in control:
        if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMP):
            seconds, rest = struct.unpack("@qq", value)
            return int(seconds) * 1_000_000_000 + int(rest)
    return None


def _socket(address: str, protocol: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if protocol == "icmp":
        return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    if protocol == "ipv6-icmp":
        return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6)
    return socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
