"""The program of a pod that calls: makes real connections and writes down what it did and saw."""

import asyncio
import json
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from conntrail.lab.program.dial.reader import Dial, dialled
from conntrail.lab.program.server import set_name
from conntrail.lab.program.task import Order, Task, order_of
from conntrail.lab.program.tls.reader import exchange_secretly
from conntrail.lab.program.truth.fact import Fact
from conntrail.lab.program.truth.writer import write_facts
from conntrail.lab.program.web.reader import exchange, new_request

_KEPT_EVERY_SECONDS: Final = 0.5


def main() -> None:
    """The order comes as JSON on standard input."""
    order = order_of(json.loads(sys.stdin.read()))
    set_name(f"{order.workload}-call")
    asyncio.run(_follow(order))


async def _follow(order: Order) -> None:
    # One that is kept or gets no answer must not keep the others waiting.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(order.tasks) or 1))
    until = time.monotonic() + order.seconds
    await asyncio.gather(*(_repeat(order, task, until) for task in order.tasks))


async def _repeat(order: Order, task: Task, until: float) -> None:
    turn = 0
    while True:
        write_facts(order, await asyncio.to_thread(_call, order, task, turn, until))
        turn += 1
        if order.is_once or time.monotonic() + task.every >= until:
            return
        await asyncio.sleep(task.every)


def _call(order: Order, task: Task, turn: int, until: float) -> list[Fact]:
    """One call, after looking up its name when it has one; what became of it."""
    facts: list[Fact] = []
    if task.names or task.resolve:
        from conntrail.lab.program.name.reader import resolve  # noqa: PLC0415 - a fifth of a second, for who needs it
    if task.names:
        resolve(order, task, task.names[turn % len(task.names)], facts)
        return facts
    domain = ""
    if task.resolve and order.resolver:
        found = resolve(order, replace(order.resolver, types=task.types), task.resolve, facts)
        wanted = [value for value in found.values if (":" in value) == task.kind.endswith("6")]
        if not wanted:
            return facts
        task, domain = replace(task, address=wanted[0]), found.name
    with dialled(order, task, facts, domain=domain) as dial:
        _talk(dial, order, task, facts, turn=turn, until=until)
    return facts


def _talk(dial: Dial, order: Order, task: Task, facts: list[Fact], *, turn: int, until: float) -> None:
    """Raises ConnectionError, TimeoutError or another OSError."""
    kind = task.kind.removesuffix("6")
    dial.connect()
    if kind == "keep":
        _keep(dial, order, task, facts, until)
        return
    if kind == "http":
        exchange(dial, new_request(order, task, turn), facts, is_last=True)
    elif kind == "tls":
        exchange_secretly(dial, task, new_request(order, task, turn), facts)
        return
    elif kind == "tcp":
        dial.send(b"x" * task.bytes)
    else:
        dial.send(_echo_request(task.kind) if kind == "ping" else b"x" * task.bytes)
        dial.receive()
        return
    dial.end()
    dial.receive_rest()


def _keep(dial: Dial, order: Order, task: Task, facts: list[Fact], until: float) -> None:
    """One connection with a request now and then, until the time is over."""
    turn = 0
    while True:
        exchange(dial, new_request(order, task, turn), facts, is_last=False)
        turn += 1
        if time.monotonic() + _KEPT_EVERY_SECONDS >= until:
            dial.end()
            dial.receive_rest()
            return
        time.sleep(_KEPT_EVERY_SECONDS)


def _echo_request(kind: str) -> bytes:
    return struct.pack("!BBHHH", 128 if kind == "ping6" else 8, 0, 0, 0, 1) + b"conntrail"


if __name__ == "__main__":
    main()
