"""A map of bounded size whose content does not depend on the order in which it was filled.

The smallest keys are kept; what the others told is merged to one value. Whoever makes up names or addresses can so
neither fill the memory nor change, by coming earlier or later, what two readers of the same data find.
"""

from typing import Any, Generic, Protocol, Self, TypeVar


class Mergeable(Protocol):
    """What two tellings of one key become: a value, in whatever order they are merged."""

    def merge(self, other: Self, /) -> None:
        """Take the other in, which is not used any more."""


class Ordered(Protocol):
    """A key."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __hash__(self) -> int: ...


_Key = TypeVar("_Key", bound=Ordered)
_Value = TypeVar("_Value", bound=Mergeable)


class Bounded(Generic[_Key, _Value]):
    """Up to ``limit`` keys; twice as many while it is filled, so that it is sorted seldom."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[_Key, _Value] = {}
        self._bar: _Key | None = None
        """The smallest key that was cut: there are ``limit`` smaller ones, so none from here on is ever kept."""
        self._rest: _Value | None = None

    def add(self, key: _Key, value: _Value) -> None:
        """Merge what is told of a key."""
        if self._bar is not None and not key < self._bar:
            self._put_away(value)
            return
        known = self._kept.get(key)
        if known is not None:
            known.merge(value)
            return
        self._kept[key] = value
        if len(self._kept) > 2 * self._limit:
            self._cut()

    def merge(self, other: "Bounded[_Key, _Value]") -> None:
        """Take another map in: a map of maps is bounded too."""
        for key, value in other._kept.items():  # noqa: SLF001 - of its own class
            self.add(key, value)
        rest = other._rest  # noqa: SLF001 - of its own class
        if rest is not None:
            self._put_away(rest)

    def items(self) -> list[tuple[_Key, _Value]]:
        """In the order of the keys."""
        self._cut()
        return sorted(self._kept.items(), key=lambda item: item[0])

    def rest(self) -> _Value | None:
        """What all other keys told; None when nothing was cut."""
        self._cut()
        return self._rest

    def _cut(self) -> None:
        if len(self._kept) <= self._limit:
            return
        ordered = sorted(self._kept)
        self._bar = ordered[self._limit]
        for key in ordered[self._limit :]:
            self._put_away(self._kept.pop(key))

    def _put_away(self, value: _Value) -> None:
        if self._rest is None:
            self._rest = value
        else:
            self._rest.merge(value)


def smallest(first: frozenset[str], second: frozenset[str], limit: int) -> frozenset[str]:
    """Both sets, cut to the first by name: the same whatever was added first."""
    if second <= first:
        return first
    both = first | second
    return both if len(both) <= limit else frozenset(sorted(both)[:limit])
