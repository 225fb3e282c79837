"""Which documents of a stream are the newest, or the oldest, each once, in order of time."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from conntrail.observe.render import first

Document = dict[str, Any]
MOST: Final = 100_000
"""Documents that are put in order at once; packed, one takes up to 4 KiB, and so all of them some 400 MiB."""
_SLACK: Final = 1000
_SLACK_SHARE: Final = 10
"""Documents beyond the limit that may gather before they are thinned out, so that thinning is rare."""
_REMEMBERED: Final = 100_000
_DIGEST_BYTES: Final = 12


def identity(document: Mapping[str, Any]) -> str:
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


def stamp(document: Mapping[str, Any]) -> str:
    """ISO time by which documents are ordered; ours have one length and zone, so text orders as time."""
    return str(first(document, "@timestamp") or "")


class Newest:
    """Keeps the newest (or oldest) ``limit`` documents, packed, whatever the order in which they come."""

    def __init__(self, limit: int, is_from_oldest: bool = False) -> None:
        self._limit = limit
        self._room = limit + max(_SLACK, limit // _SLACK_SHARE)
        self._is_from_oldest = is_from_oldest
        self._kept: dict[str, tuple[str, bytes]] = {}
        self._edge: str | None = None

    @property
    def has_more(self) -> bool:
        """Whether there were more than the limit."""
        return self._edge is not None or len(self._kept) > self._limit

    @property
    def latest(self) -> str:
        """Time of the newest that is kept; empty without one."""
        return max((at for _, (at, _) in self._chosen()), default="")

    def add(self, document: Document) -> None:
        """Take one in; a later emission of a flow replaces an earlier."""
        at = stamp(document)
        if self._edge is not None and (at > self._edge if self._is_from_oldest else at < self._edge):
            return
        self._kept[identity(document)] = at, pack(document)
        if len(self._kept) > self._room:
            chosen = self._chosen()
            self._edge = chosen[-1 if self._is_from_oldest else 0][1][0]
            self._kept = dict(chosen)

    def documents(self) -> Iterator[Document]:
        """Oldest first."""
        return (unpack(packed) for _, (_, packed) in self._chosen())

    def _chosen(self) -> list[tuple[str, tuple[str, bytes]]]:
        ordered = sorted(self._kept.items(), key=lambda entry: (entry[1][0], entry[0]))
        return ordered[: self._limit] if self._is_from_oldest else ordered[-self._limit :]


def pack(document: Document) -> bytes:
    """A document at a quarter of its size."""
    return msgspec.json.encode(document)


def unpack(packed: bytes) -> Document:
    """What was packed."""
    found: Document = msgspec.json.decode(packed)
    return found


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
