"""Which flows are a connection of the lab's truth: by its socket, what it dialled, and its time."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from conntrail.observe.condition import values_at
from tests.support.observed import Document

_WITH_PORTS = ("tcp", "udp")
SILENCE = "timeout"
"""Outcome of a connection that nobody answered."""
_MARGIN_NS = 1e9
"""Clocks are the same; a program of a crowded machine waits between its look at the clock and its call."""


def first(document: Document, path: str) -> Any:
    return next(iter(values_at(document, path)), None)


def nanoseconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp() * 1e9


def begins(document: Document) -> bool:
    """A connection's first document has its true start; the later ones have that of their step."""
    return first(document, "flow.connections.started") == 1


def by_flow(documents: Iterable[Document]) -> dict[str, list[Document]]:
    """Documents of each connection."""
    found: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        found[first(document, "flow.id")].append(document)
    return found


def of_port(flows: Mapping[str, list[Document]], fact: Document) -> list[Document]:
    """What is there of the socket that a connection was made by."""
    wanted = (fact["source_address"], fact["source_port"])
    every = chain.from_iterable(flows.values())
    return [d for d in every if (first(d, "source.ip"), first(d, "source.port")) == wanted]


def dialled_key(fact: Document) -> tuple[str, str, int, str, int]:
    """Five-tuple as the client knows it."""
    return (
        fact["protocol"],
        fact["source_address"],
        fact["source_port"],
        fact["dialled_address"],
        fact["dialled_port"],
    )


def counted_once(facts: Iterable[Document]) -> list[Document]:
    """Connections as they are counted: those that nobody answers are one flow where they have had the same port."""
    found = list(facts)
    silent = {dialled_key(f): f for f in found if f["outcome"] == SILENCE and f["protocol"] in _WITH_PORTS}
    return [*silent.values(), *(f for f in found if f["outcome"] != SILENCE or f["protocol"] not in _WITH_PORTS)]


class Truth:
    """Flows of each connection that programs told of.

    ``facts``: the lines of connections in ``truth.jsonl``. ``flows``: documents of each flow, by its identity.
    """

    def __init__(self, facts: Iterable[Document], flows: Mapping[str, list[Document]]) -> None:
        self._alike: dict[Hashable, list[Document]] = defaultdict(list)
        for fact in facts:
            self._alike[_dialled(fact)].append(fact)
        self._flows: dict[Hashable, list[tuple[str, list[Document]]]] = defaultdict(list)
        for identity, documents in flows.items():
            self._flows[_dialled_of(documents[0])].append((identity, documents))

    def flows_of(self, fact: Document) -> set[str]:
        """Identities of the flows that are this connection: one, if all is right."""
        key = _dialled(fact)
        return {identity for identity, documents in self._flows[key] if _is_of_time(fact, documents, self._alike[key])}


def _dialled(fact: Document) -> Hashable:
    port = fact["source_port"] if fact["protocol"] in _WITH_PORTS else 0
    return fact["protocol"], fact["source_address"], port, fact["dialled_address"]


def _dialled_of(document: Document) -> Hashable:
    transport = first(document, "network.transport")
    port = first(document, "source.port") if transport in _WITH_PORTS else 0
    dialled = first(document, "destination.service.ip") or first(document, "destination.ip")
    return transport, first(document, "source.ip"), port, dialled


def _is_of_time(fact: Document, documents: list[Document], alike: list[Document]) -> bool:
    """The flow begins with this connection, and with no other of its socket sooner.

    A datagram socket that gets a port again within half a minute goes on in the kernel's entry, and so does a client
    that nobody answers in the agent's table of attempts: one flow of both.
    """
    start = min(nanoseconds(first(document, "event.start")) for document in documents)
    end = max(nanoseconds(first(document, "event.end")) for document in documents)
    may_go_on = fact["protocol"] == "udp" or fact["outcome"] == SILENCE
    if may_go_on and start <= fact["started_at_ns"] <= end:
        return True
    distance = _distance_ns(fact, start)
    return distance <= min(chain([_MARGIN_NS], (_distance_ns(other, start) for other in alike)))


def _distance_ns(fact: Document, at_ns: float) -> float:
    return max(fact["started_at_ns"] - at_ns, at_ns - fact["ended_at_ns"], 0)
