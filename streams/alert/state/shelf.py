"""Entries of one kind in the state store: a few bytes each, bounded, the longest unheard of first to go.

The store is any mapping, such as a Faust table; a write there is dear, so what was changed is kept until ``flush``.
Entries are msgspec structs written as arrays: a new field goes to the end and has a default. An entry that cannot be
read begins anew, and is counted.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Generic, NamedTuple, TypeVar

import msgspec

from streams.alert.counters import AlertCounters

_T = TypeVar("_T", bound=msgspec.Struct)
_READ_LATELY = 1024
"""Entries that are read again and again between two writes, such as busy clients."""
Store = MutableMapping[str, bytes]


class StorePlace(NamedTuple):
    """Where a shelf keeps its entries."""

    store: Store
    name: str
    counters: AlertCounters


class Shelf(Generic[_T]):
    """Entries by key; keys begin with the shelf's name and a slash. Not thread-safe."""

    def __init__(
        self,
        place: StorePlace,
        kind: type[_T],
        maximum: int,
        heard_ns: Callable[[_T], int],
    ) -> None:
        self._store = place.store
        self._prefix = f"{place.name}/"
        self._maximum = maximum
        self._heard_ns = heard_ns
        self._counters = place.counters
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()
        self._changed: dict[str, _T] = {}
        self._read_lately: dict[str, _T] = {}
        self._order: dict[str, None] = dict.fromkeys(key for key, _ in self._by_age())

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, key: str) -> bool:
        return key in self._order

    def __iter__(self) -> Iterator[str]:
        """Keys, the one longest unheard of first."""
        return iter(list(self._order))

    def key(self, name: str) -> str:
        """The key of an entry."""
        return self._prefix + name

    def get(self, key: str) -> _T | None:
        """The entry, to be read, or changed and ``put`` again."""
        entry = self._changed.get(key) or self._read_lately.get(key)
        if entry is not None or key not in self._order:
            return entry
        entry = self._read(key)
        if entry is not None:
            if len(self._read_lately) >= _READ_LATELY:
                self._read_lately.clear()
            self._read_lately[key] = entry
        return entry

    def put(self, key: str, entry: _T) -> list[tuple[str, _T]]:
        """Keep an entry as the one heard of last; give what had to go for it."""
        self._order.pop(key, None)
        self._order[key] = None
        self._changed[key] = entry
        self._read_lately.pop(key, None)
        return self._trimmed()

    def amend(self, key: str, entry: _T) -> None:
        """Keep a change that is no sign of life."""
        self._read_lately.pop(key, None)
        self._changed[key] = entry

    def drop(self, key: str) -> None:
        """Forget an entry, if there is one."""
        self._order.pop(key, None)
        self._changed.pop(key, None)
        self._read_lately.pop(key, None)
        self._store.pop(key, None)

    def drop_before(self, oldest_ns: int) -> list[tuple[str, _T]]:
        """Forget what was not heard of since an instant."""
        gone = []
        for key in self._order:
            entry = self.get(key)
            if entry is not None and self._heard_ns(entry) >= oldest_ns:
                break
            if entry is not None:
                gone.append((key, entry))
        for key, _ in gone:
            self.drop(key)
        return gone

    def flush(self) -> int:
        """Write what was changed to the store; the number of writes."""
        for key, entry in self._changed.items():
            self._store[key] = self._encoder.encode(entry)
        written = len(self._changed)
        self._changed.clear()
        return written

    def _trimmed(self) -> list[tuple[str, _T]]:
        gone = []
        while len(self._order) > self._maximum:
            key = next(iter(self._order))
            entry = self.get(key)
            self.drop(key)
            if entry is not None:
                gone.append((key, entry))
        return gone

    def _read(self, key: str) -> _T | None:
        try:
            return self._decoder.decode(self._store[key])
        except KeyError:
            return None
        except (msgspec.DecodeError, TypeError):  # a ValidationError is a DecodeError
            self._counters.unreadable += 1
            self.drop(key)
            return None

    def _by_age(self) -> list[tuple[str, int]]:
        self._order = dict.fromkeys(key for key in list(self._store) if key.startswith(self._prefix))
        found = []
        for key in list(self._order):
            entry = self._read(key)
            if entry is not None:
                found.append((key, self._heard_ns(entry)))
        return sorted(found, key=lambda pair: (pair[1], pair[0]))
