"""Alerts over 100,000 edges: what the state weighs, and how many windows a second one core takes in. Without Kafka."""

import resource
import time
from pathlib import Path
from typing import Any

from streams.alert.engine import Engine
from streams.alert.rule.builtin import builtin_rules
from streams.alert.settings import AlertSettings
from streams.alert.signal.end import End
from streams.alert.signal.signal import EdgeSignal, Place

EDGES, SOURCES = 100_000, 500
SECOND = 10**9
MINUTE = 60 * SECOND
START = 1_700_000_040 * SECOND
BETWEEN = 5000
"""Windows from one writing of the state to the next: what is taken in a second or less."""
FAILING = 1000
"""Edges that are cut at once in the last minute."""


def run() -> list[dict[str, Any]]:
    """Minutes of windows: the first makes the edges known, the others find them so; then some are cut."""
    before = resident_bytes()
    store: dict[str, bytes] = {}
    engine = Engine(builtin_rules(), AlertSettings(), store)
    feed(engine, 0)
    seconds = feed(engine, 1)
    memory = resident_bytes() - before
    stored = sum(map(len, store.values())) + sum(map(len, store))
    start = time.process_time()
    for number in range(FAILING):
        engine.take(denial(number))
    told = engine.advance(START + 3 * MINUTE)
    cut_seconds = time.process_time() - start
    start = time.process_time()
    Engine(builtin_rules(), AlertSettings(), store)
    return [
        {
            **row("alert.edges", EDGES / seconds, f"windows a second on one core, of {EDGES} known edges"),
            "ratio": 60 / seconds,
            "against": "a window a minute of each edge",
            "aim": "at least 1",
            "holds": seconds <= 60,
        },
        row("alert.edges.memory", memory / EDGES, f"bytes resident an edge, the store as a dict included ({EDGES})"),
        row("alert.edges.stored", stored / EDGES, "bytes an edge in the store, keys included"),
        row("alert.edges.restart", time.process_time() - start, f"s of a core until {EDGES} edges are known again"),
        row("alert.edges.cut", 1e3 * cut_seconds, f"ms from {FAILING} denied edges to {len(told)} alert"),
    ]


def feed(engine: Engine, minute: int) -> float:
    """CPU seconds for a minute's window of every edge and the writes to the store that follow."""
    seconds = 0.0
    for first in range(0, EDGES, BETWEEN):
        signals = [window(minute, number) for number in range(first, first + BETWEEN)]
        start = time.process_time()
        for signal in signals:
            engine.take(signal)
        engine.advance(START + (minute + 1) * MINUTE)
        seconds += time.process_time() - start
    return seconds


def window(minute: int, number: int) -> EdgeSignal:
    at = START + minute * MINUTE
    source, destination = ends(number)
    return EdgeSignal(
        place=Place("windows", 0, minute * EDGES + number), start_ns=at, end_ns=at + MINUTE, source=source,
        destination=destination, port=8080, transport="tcp", action="allowed", service=destination.title,
        service_port=80, direction="internal", started=10, active=12, bytes=100_000, packets=900, rtt_us=700,
        verdict="allow", policies=("NetworkPolicy:data/allow:rule=0:allow",),
    )  # fmt: skip


def denial(number: int) -> EdgeSignal:
    source, destination = ends(number)
    at = START + 2 * MINUTE
    return EdgeSignal(
        place=Place("denials", 0, number), start_ns=at, end_ns=at + SECOND, source=source, destination=destination,
        port=8080, transport="tcp", action="denied", mode="denied", is_prompt=True, denied=2,
        denied_by=("NetworkPolicy:data/deny:rule=-1:deny",), verdict="deny",
    )  # fmt: skip


def ends(number: int) -> tuple[End, End]:
    source, destination = number % SOURCES, number // SOURCES
    return (
        End(f"team{source % 50}", "Deployment", f"client{source}"),
        End(f"team{destination % 50}", "Deployment", f"server{destination}"),
    )


def row(name: str, value: float, unit: str) -> dict[str, Any]:
    return {
        "name": name, "value": value, "unit": unit, "ratio": None, "against": "", "aim": "none yet", "holds": None,
    }  # fmt: skip


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
