"""Which documents of a stream are the newest, each once, in order of time."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from conntrail.observe.render import first

Document = dict[str, Any]
_SLACK: Final = 1000
"""Documents beyond the limit that may gather before they are thinned out, so that thinning is rare."""
_REMEMBERED: Final = 100_000
_DIGEST_BYTES: Final = 12


def identity(document: Document) -> str:
    """The same for every emission of one flow in one step, and for what has a number of its own, as events have.

    Other documents are the same when all they say is.
    """
    flow, number = first(document, "flow.id"), first(document, "event.id")
    if flow is not None:
        return f"{flow}-{first(document, '@timestamp')}"
    if number is not None:
        return "|".join(str(first(document, f"event.{name}")) for name in ("dataset", "provider", "id"))
    said = json.dumps(document, sort_keys=True).encode()
    return hashlib.blake2b(said, digest_size=_DIGEST_BYTES).hexdigest()


def stamp(document: Document) -> str:
    """ISO time by which documents are ordered; ours have one length and zone, so text orders as time."""
    return str(first(document, "@timestamp") or "")


class Newest:
    """Keeps the newest ``limit`` documents, all without a limit, whatever the order in which they come."""

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


def once(documents: Iterable[Document]) -> Iterator[Document]:
    """A flow that is emitted again is shown again only when its verdict changed; an event, when it happened again."""
    shown: OrderedDict[str, str] = OrderedDict()
    for document in documents:
        name = identity(document)
        told = f"{first(document, 'event.action')} {first(document, 'kubernetes.event.count')}"
        if shown.get(name) == told:
            continue
        shown[name] = told
        if len(shown) > _REMEMBERED:
            shown.popitem(last=False)
        yield document
