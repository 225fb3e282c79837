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
    """The same for every emission of one flow in one step; other documents are the same when all they say is."""
    flow = first(document, "flow.id")
    if flow is not None:
        return f"{flow}-{first(document, '@timestamp')}"
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
    """A flow that is emitted again is shown again only when its verdict changed."""
    shown: OrderedDict[str, str] = OrderedDict()
    for document in documents:
        name, action = identity(document), str(first(document, "event.action"))
        if shown.get(name) == action:
            continue
        shown[name] = action
        if len(shown) > _REMEMBERED:
            shown.popitem(last=False)
        yield document
