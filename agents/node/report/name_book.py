"""Remembers, within bounds, which names each client resolved to which addresses, and says so of its connections.

A name holds from its answer until its time to live is over, at least five minutes: programs keep what they resolved.
"""

from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import Final

import numpy as np

from agents.node.report.columns import Reports
from agents.node.report.resolved import Address, Resolved
from agents.publish.column import BooleanColumn, Column, ListColumn, TextColumn

_LEAST_SECONDS: Final = 300
_TOLERANCE_NS: Final = 50_000_000
"""A connection's start and its answer's time come from different readings of the clock."""
_MAXIMUM_CLIENTS: Final = 4_096
_MAXIMUM_ENTRIES: Final = 50_000
_MAXIMUM_ADDRESSES: Final = 1_024
_MAXIMUM_NAMES: Final = 4
_MAXIMUM_CHARACTERS: Final = 512
"""Of the names of one address. Twice the longest host name; of binary labels the text of one name has a thousand."""

_Period = tuple[int, int]


@dataclass(slots=True)
class _Client:
    watched_since_ns: int
    """When DNS was first seen to answer it, or what was known of it last given up."""
    known: dict[Address, dict[str, _Period]] = field(default_factory=dict)


class NameBook:
    """Names by client and address; who was silent longest makes room."""

    def __init__(self) -> None:
        self._clients: dict[Address, _Client] = {}
        self._entries = 0
        self._looked_up: dict[Address, None] = {}
        """By anybody on the node: a pod may ask by its one address and call by its other."""
        self._lost_at_ns = 0
        """When answers last may have gone unseen."""

    def __len__(self) -> int:
        return self._entries

    def note(self, resolved: Resolved) -> None:
        """A client learned addresses for names, or that there are none."""
        client = self._clients.pop(resolved.client, None) or _Client(resolved.at_ns)
        self._clients[resolved.client] = client
        until_ns = resolved.at_ns + max(resolved.time_to_live_seconds, _LEAST_SECONDS) * 1_000_000_000
        for address in resolved.addresses:
            self._entries += address not in client.known
            before = client.known.pop(address, {})
            names = {name: (before.get(name, (resolved.at_ns, 0))[0], until_ns) for name in resolved.names}
            names |= {name: period for name, period in before.items() if name not in names}
            client.known[address] = _bounded(names)
            self._looked_up.pop(address, None)
            self._looked_up[address] = None
        self._bound_looked_up(resolved.at_ns)
        while len(client.known) > _MAXIMUM_ADDRESSES:
            self._forget_oldest(client)
        while len(self._clients) > _MAXIMUM_CLIENTS or self._entries > _MAXIMUM_ENTRIES:
            self._entries -= len(self._clients.pop(next(iter(self._clients))).known)

    def note_loss(self, at_ns: int) -> None:
        """Answers may have gone unseen: of connections that began before, nothing is called unnamed."""
        self._lost_at_ns = max(self._lost_at_ns, at_ns)

    def columns(self, reports: Reports) -> dict[str, Column]:
        """Columns ``destination_names`` and ``is_destination_unnamed`` of these rows."""
        counts, is_unnamed = np.zeros(len(reports), np.intp), np.zeros(len(reports), np.bool_)
        texts: dict[str, int] = {}
        items: list[int] = []
        lows = np.array([low for _, low in self._clients], np.uint64)
        rows = np.flatnonzero(np.isin(reports["original_source_low"], lows))
        fields = [
            reports[name][rows].tolist()
            for name in (
                "original_source_high",
                "original_source_low",
                "original_destination_high",
                "original_destination_low",
                "started_at_ns",
            )
        ]
        for row, high, low, to_high, to_low, started_at_ns in zip(rows.tolist(), *fields, strict=True):
            client = self._clients.get((high, low))
            if client is None:
                continue
            known = client.known.get((to_high, to_low), {})
            names = [
                name
                for name, (from_ns, until_ns) in known.items()
                if from_ns <= started_at_ns + _TOLERANCE_NS and started_at_ns <= until_ns
            ]
            items += [texts.setdefault(name, len(texts)) for name in names]
            counts[row] = len(names)
            watched_since_ns = max(client.watched_since_ns, self._lost_at_ns)
            is_unnamed[row] = watched_since_ns <= started_at_ns and (to_high, to_low) not in self._looked_up
        return {
            "destination_names": ListColumn(TextColumn(list(texts), np.array(items, np.intp)), counts),
            "is_destination_unnamed": BooleanColumn(is_unnamed),
        }

    def _bound_looked_up(self, at_ns: int) -> None:
        """Of what is forgotten nobody can say that it was never looked up."""
        while len(self._looked_up) > _MAXIMUM_ENTRIES:
            del self._looked_up[next(iter(self._looked_up))]
            self.note_loss(at_ns)

    def _forget_oldest(self, client: _Client) -> None:
        """What is forgotten cannot be called unnamed, either."""
        names = client.known.pop(next(iter(client.known)))
        client.watched_since_ns = max(client.watched_since_ns, max((until for _, until in names.values()), default=0))
        self._entries -= 1


def _bounded(names: dict[str, _Period]) -> dict[str, _Period]:
    """The first of them."""
    characters = accumulate(map(len, names))
    bounded = zip(names.items(), characters, strict=True)
    return {name: period for (name, period), end in islice(bounded, _MAXIMUM_NAMES) if end <= _MAXIMUM_CHARACTERS}
