"""Which flows of a stream are the newest, each once, in order of time."""

from typing import Any

from conntrail.observe.render import first

Document = dict[str, Any]
_SLACK = 1000
"""Documents beyond the limit that may gather before they are thinned out, so that thinning is rare."""


def identity(document: Document) -> str:
    """The same for every emission of one flow in one step."""
    return f"{first(document, 'flow.id')}-{first(document, '@timestamp')}"


def stamp(document: Document) -> str:
    """ISO time by which flows are ordered; ours have one length and zone, so text orders as time."""
    return str(first(document, "@timestamp") or "")


class Newest:
    """Keeps the newest ``limit`` flows, all without a limit, whatever the order in which they come."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._kept: dict[str, Document] = {}

    def add(self, document: Document) -> None:
        """Take one in; a later emission of a flow replaces an earlier."""
        self._kept[identity(document)] = document
        if self._limit is not None and len(self._kept) > self._limit + _SLACK:
            self._kept = {identity(kept): kept for kept in self.documents()}

    def documents(self) -> list[Document]:
        """Oldest first."""
        ordered = sorted(self._kept.values(), key=lambda document: (stamp(document), identity(document)))
        return ordered if self._limit is None else ordered[-self._limit :]
