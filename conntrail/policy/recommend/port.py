"""Destination ports as ranges that a rule can bear: exact while they are few, and no ephemeral port by its number."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

MAXIMUM_SPANS: Final = 12
"""Of a protocol in a rule; Cilium allows 40 ports, and there are three protocols."""
EPHEMERAL_FROM: Final = 32768
"""Linux gives out ports from here on (ip_local_port_range)."""
LAST_PORT: Final = 65535
MAXIMUM_FIXED: Final = 4
"""A service has few ports of its own up there; more than these are given out anew for each connection."""


WITH_PORTS: Final = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Ports from ``first`` to ``last``; of a protocol without ports both are 0."""

    protocol: str
    first: int
    last: int


def spans(ports: Iterable[tuple[str, int]], ephemeral: frozenset[str] = frozenset()) -> tuple[Span, ...]:
    """``ports`` by protocol; ``ephemeral``: protocols whose high ports are given out anew each time."""
    by_protocol: dict[str, set[int]] = {}
    for protocol, port in ports:
        by_protocol.setdefault(protocol, set()).add(port)
    found: list[Span] = []
    for protocol, numbers in sorted(by_protocol.items()):
        ranges = [[number, number] for number in sorted(numbers)]
        if protocol in ephemeral and max(numbers) >= EPHEMERAL_FROM:
            ranges = [pair for pair in ranges if pair[0] < EPHEMERAL_FROM] + [[EPHEMERAL_FROM, LAST_PORT]]
        found += [Span(protocol, first, last) for first, last in _bounded(ranges)]
    return tuple(found)


def _bounded(ranges: list[list[int]]) -> list[list[int]]:
    """Neighbours are joined, then the smallest gaps are closed until there are few enough."""
    gaps = sorted(later[0] - earlier[1] for earlier, later in pairwise(ranges))
    excess = max(len(ranges) - MAXIMUM_SPANS, 0)
    closed = max(gaps[excess - 1] if excess else 1, 1)
    joined = ranges[:1]
    for pair in ranges[1:]:
        if pair[0] - joined[-1][1] <= closed:
            joined[-1] = [joined[-1][0], pair[1]]
        else:
            joined.append(pair)
    return joined
