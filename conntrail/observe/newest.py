"""Which documents of a stream are the newest, or the oldest, each once, in order of time."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from conntrail.observe.last_word import LastWord, Word
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


@dataclass(frozen=True, slots=True)
class _Kept:
    at: str
    packed: bytes
    scope: str
    version: int


class Newest:
    """Keeps the newest (or oldest) ``limit`` documents, packed, whatever the order in which they come.

    ``words`` knows which of them are outdated meanwhile.
    """

    def __init__(self, limit: int, is_from_oldest: bool = False, words: LastWord | None = None) -> None:
        self._limit = limit
        self._room = limit + max(_SLACK, limit // _SLACK_SHARE)
        self._is_from_oldest = is_from_oldest
        self._words = words or LastWord()
        self._kept: dict[str, _Kept] = {}
        self._edge: str | None = None

    @property
    def has_more(self) -> bool:
        """Whether there were more than the limit."""
        return self._edge is not None or len(self._kept) > self._limit

    @property
    def is_short(self) -> bool:
        """Whether fewer are left than the limit, as there was no room for others before some were outdated."""
        return self._edge is not None and len(self._kept) < self._limit

    @property
    def latest(self) -> str:
        """Time of the newest that is kept; empty without one."""
        return max((kept.at for _, kept in self._chosen()), default="")

    def add(self, document: Document) -> None:
        """Take one in of which nothing but its body is known; a later one of the same flow replaces an earlier."""
        name = identity(document)
        self.put(Word(name, name, 0, document))

    def put(self, word: Word) -> None:
        """Take one in, or leave it out if it has no body; it replaces what was told of it before."""
        before = self._kept.get(word.name)
        if before is not None and before.version > word.version:
            return
        at = "" if word.body is None else stamp(word.body)
        if word.body is None or self._is_beyond(at):
            self._kept.pop(word.name, None)
            return
        self._kept[word.name] = _Kept(at, pack(word.body), word.scope, word.version)
        if len(self._kept) > self._room:
            self._thin_out()

    def drop_outdated(self) -> None:
        """Let go of what something newer was told of since."""
        self._kept = {
            name: kept for name, kept in self._kept.items() if not self._words.is_outdated(kept.scope, kept.version)
        }

    def documents(self) -> Iterator[Document]:
        """Oldest first."""
        return (unpack(kept.packed) for _, kept in self._chosen())

    def _is_beyond(self, at: str) -> bool:
        return self._edge is not None and (at > self._edge if self._is_from_oldest else at < self._edge)

    def _thin_out(self) -> None:
        self.drop_outdated()
        if len(self._kept) > self._limit:
            chosen = self._chosen()
            self._edge = chosen[-1 if self._is_from_oldest else 0][1].at
            self._kept = dict(chosen)

    def _chosen(self) -> list[tuple[str, _Kept]]:
        ordered = sorted(self._kept.items(), key=lambda entry: (entry[1].at, entry[0]))
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
