"""The program of a pod that calls: makes real connections and writes down what it did and saw."""

import asyncio
import json
import os
import socket
import struct
import sys
import time
from typing import Any, Final

from conntrail.lab.program.server import set_name
from conntrail.lab.program.task import Order, Task, order_of

_PATIENCE_SECONDS: Final = 1.6
_TIMEOUT, _REFUSED, _ANSWERED = "timeout", "refused", "answered"
_PROTOCOLS: Final = {"http": "tcp", "tcp": "tcp", "tcp6": "tcp", "udp": "udp", "dns": "udp", "ping": "icmp"}


def main() -> None:
    """The order comes as JSON on standard input."""
    order = order_of(json.loads(sys.stdin.read()))
    set_name(f"{order.workload}-call")
    asyncio.run(_follow(order))


async def _follow(order: Order) -> None:
    until = time.monotonic() + order.seconds
    await asyncio.gather(*(_repeat(order, task, until) for task in order.tasks))


async def _repeat(order: Order, task: Task, until: float) -> None:
    while True:
        _write(order, task, await asyncio.to_thread(_call, order, task))
        if order.is_once or time.monotonic() + task.every >= until:
            return
        await asyncio.sleep(task.every)


def _call(order: Order, task: Task) -> dict[str, Any]:
    """One connection; what became of it."""
    started = time.time_ns()
    source = order.address6 if ":" in task.address else order.address
    with _socket(task) as opened:
        opened.settimeout(_PATIENCE_SECONDS)
        opened.bind((source, 0))
        port = opened.getsockname()[1]
        try:
            sent, received = _exchange(opened, task)
            outcome = _ANSWERED
        except ConnectionError:
            sent, received, outcome = 0, 0, _REFUSED
        except TimeoutError:
            sent, received, outcome = 0, 0, _TIMEOUT
    return {
        "source_address": source,
        "source_port": port,
        "started_at_ns": started,
        "ended_at_ns": time.time_ns(),
        "sent": sent,
        "received": received,
        "outcome": outcome,
    }


def _socket(task: Task) -> socket.socket:
    family = socket.AF_INET6 if ":" in task.address else socket.AF_INET
    if task.kind == "ping":
        return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    return socket.socket(family, socket.SOCK_DGRAM if _PROTOCOLS[task.kind] == "udp" else socket.SOCK_STREAM)


def _exchange(opened: socket.socket, task: Task) -> tuple[int, int]:
    """Send, and receive all of the answer. Raises ConnectionError or TimeoutError."""
    opened.connect((task.address, task.port))
    if task.kind == "http":
        request = b"GET /items HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
        opened.sendall(request)
        opened.shutdown(socket.SHUT_WR)
        return len(request), _receive_all(opened)
    if task.kind in ("tcp", "tcp6"):
        opened.sendall(b"x" * task.bytes)
        opened.shutdown(socket.SHUT_WR)
        return task.bytes, _receive_all(opened)
    data = _datagram(task)
    opened.send(data)
    return len(data), len(opened.recv(65536))


def _datagram(task: Task) -> bytes:
    if task.kind == "dns":
        return struct.pack("!HHHHHH", os.getpid() & 0xFFFF, 0x100, 1, 0, 0, 0) + b"\3lab\4test\0\0\1\0\1"
    if task.kind == "ping":
        return struct.pack("!BBHHH", 8, 0, 0, 0, 1) + b"conntrail"
    return b"x" * task.bytes


def _receive_all(opened: socket.socket) -> int:
    received = 0
    while data := opened.recv(65536):
        received += len(data)
    return received


def _write(order: Order, task: Task, result: dict[str, Any]) -> None:
    line = {
        "client": {"namespace": order.namespace, "pod": order.pod, "uid": order.uid, "workload": order.workload},
        "protocol": _PROTOCOLS[task.kind],
        "family": "ipv6" if ":" in task.address else "ipv4",
        "dialled_address": task.address,
        "dialled_port": task.port,
        "service": task.service,
        "expected": task.expect,
        "policy": task.by,
        "direction": task.direction,
        **result,
    }
    with open(order.truth, "ab", buffering=0) as truth:  # noqa: PTH123 - unbuffered, so that lines stay whole
        truth.write(json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    main()
