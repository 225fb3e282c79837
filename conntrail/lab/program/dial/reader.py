"""One socket of a client, with the kernel's time of what came."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from conntrail.lab.program.task import Order, Task
from conntrail.lab.program.truth.fact import ANSWERED, REFUSED, TIMEOUT, UNREACHABLE, Connection, Ends, Fact

_PATIENCE_SECONDS: Final = 1.6
_TIMESTAMP: Final = 35
"""SO_TIMESTAMPNS and SCM_TIMESTAMPNS (asm-generic/socket.h): when the packet came, not when we looked."""
_READ_BYTES: Final = 65_536
_CONTROL_BYTES: Final = socket.CMSG_SPACE(struct.calcsize("@qq"))
_PROTOCOLS: Final = {
    **dict.fromkeys(("http", "keep", "tcp", "tls"), "tcp"),
    **dict.fromkeys(("udp", "dns"), "udp"),
    "ping": "icmp",
}


class Dial:
    """A socket that is bound, and counts."""

    def __init__(self, opened: socket.socket, ends: Ends) -> None:
        self.socket = opened
        self.ends = ends
        self.sent = self.received = 0
        self._seconds = _PATIENCE_SECONDS

    def connect(self) -> None:
        """Raises ConnectionError or TimeoutError."""
        self.socket.connect((self.ends.dialled_address, self.ends.dialled_port))

    def send(self, data: bytes) -> int:
        """Send; Unix time just before, ns."""
        at = time.time_ns()
        self.socket.sendall(data)
        self.sent += len(data)
        return at

    def receive(self) -> tuple[bytes, int]:
        """Some bytes, none at the end, and the kernel's Unix time of them, ns."""
        data, control, _, _ = self.socket.recvmsg(_READ_BYTES, _CONTROL_BYTES)
        at = time.time_ns()
        for level, kind, value in control:
            if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMP):
                seconds, rest = struct.unpack("@qq", value)
                at = seconds * 1_000_000_000 + rest
        self.received += len(data)
        return data, at

    def receive_rest(self) -> None:
        """Until the other side ends."""
        while self.receive()[0]:
            pass

    def end(self) -> None:
        """Nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)


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


def _socket(address: str, protocol: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if protocol == "icmp":
        return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    if protocol == "ipv6-icmp":
        return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6)
    return socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
