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
_TIMEOUT, _REFUSED, _ANSWERED, _UNREACHABLE = "timeout", "refused", "answered", "unreachable"
_PROTOCOLS: Final = {
    **dict.fromkeys(("http", "keep", "tcp", "tcp6"), "tcp"),
    **dict.fromkeys(("udp", "udp6", "dns"), "udp"),
    "ping": "icmp",
    "ping6": "ipv6-icmp",
}
_KEPT_EVERY_SECONDS: Final = 0.5
_BODY_END: Final = b"\r\n\r\n"


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
        _write(order, task, await asyncio.to_thread(_call, order, task, until))
        if order.is_once or time.monotonic() + task.every >= until:
            return
        await asyncio.sleep(task.every)


def _call(order: Order, task: Task, until: float) -> dict[str, Any]:
    """One connection; what became of it."""
    started = time.time_ns()
    source = order.address6 if ":" in task.address else order.address
    with _socket(task) as opened:
        opened.settimeout(_PATIENCE_SECONDS)
        opened.bind((source, 0))
        port = opened.getsockname()[1]
        try:
            sent, received = _keep(opened, task, until) if task.kind == "keep" else _exchange(opened, task)
            outcome = _ANSWERED
        except ConnectionError:
            sent, received, outcome = 0, 0, _REFUSED
        except TimeoutError:
            sent, received, outcome = 0, 0, _TIMEOUT
        except OSError:
            sent, received, outcome = 0, 0, _UNREACHABLE
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
    if task.kind == "ping6":
        return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6)
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


def _keep(opened: socket.socket, task: Task, until: float) -> tuple[int, int]:
    """One connection with a request now and then, until the time is over."""
    opened.connect((task.address, task.port))
    request = b"GET /items HTTP/1.1\r\nHost: lab\r\n\r\n"
    sent = received = 0
    while True:
        opened.sendall(request)
        sent += len(request)
        received += _receive_response(opened)
        if time.monotonic() + _KEPT_EVERY_SECONDS >= until:
            opened.shutdown(socket.SHUT_WR)
            return sent, received + _receive_all(opened)
        time.sleep(_KEPT_EVERY_SECONDS)


def _receive_response(opened: socket.socket) -> int:
    """Bytes of one response with Content-Length."""
    data = b""
    while _BODY_END not in data:
        data += _receive_some(opened)
    head = data.partition(_BODY_END)[0]
    expected = len(head) + len(_BODY_END) + int(head.rpartition(b":")[2])
    received = len(data)
    while received < expected:
        received += len(_receive_some(opened))
    return received


def _receive_some(opened: socket.socket) -> bytes:
    data = opened.recv(65536)
    if not data:
        raise ConnectionResetError("closed in the middle of a response")
    return data


def _datagram(task: Task) -> bytes:
    if task.kind == "dns":
        return struct.pack("!HHHHHH", os.getpid() & 0xFFFF, 0x100, 1, 0, 0, 0) + b"\3lab\4test\0\0\1\0\1"
    if task.kind in ("ping", "ping6"):
        return struct.pack("!BBHHH", 128 if task.kind == "ping6" else 8, 0, 0, 0, 1) + b"conntrail"
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
        "servers": task.servers,
        "expected": task.expect,
        "policy": task.by,
        "direction": task.direction,
        **result,
    }
    with open(order.truth, "ab", buffering=0) as truth:  # noqa: PTH123 - unbuffered, so that lines stay whole
        truth.write(json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    main()
