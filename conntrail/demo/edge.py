"""Edges: who calls whom at which port, and whether it was answered when last tried."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Edge = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Edges that were answered before, held against what became of them later."""

    before: int
    still: int
    closed: tuple[str, ...]
    """Those that are not answered any more, in words."""


def compare(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> Comparison:
    """Of the connections of two times, as programs wrote them down; edges that were not tried again say nothing."""
    earlier, later = _last_outcomes(before), _last_outcomes(after)
    answered = [edge for edge, outcome in earlier.items() if outcome == "answered" and edge in later]
    closed = [edge for edge in answered if later[edge] != "answered"]
    return Comparison(len(answered), len(answered) - len(closed), tuple(map(_words, closed)))


def _last_outcomes(facts: Iterable[Mapping[str, Any]]) -> dict[Edge, str]:
    ordered = sorted(facts, key=lambda fact: int(fact["started_at_ns"]))
    return {_edge(fact): str(fact["outcome"]) for fact in ordered}


def _edge(fact: Mapping[str, Any]) -> Edge:
    client = fact["client"]
    return (
        f"{client['namespace']}/{client['workload']}",
        fact["dialled_address"],
        fact["protocol"],
        fact["dialled_port"],
    )


def _words(edge: Edge) -> str:
    source, address, protocol, port = edge
    return f"{source} to {address} {protocol} {port}"
