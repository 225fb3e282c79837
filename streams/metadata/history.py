"""States that follow each other: each holds from its observation until the next one's.

Records come in the order of the log, which is nearly but not always the order of time: after a topic was given more
partitions a key's older records lie in another partition than its newer ones.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

from streams.metadata.claim import ENDLESS_NS

Value = TypeVar("Value")
MAXIMUM_STATES: Final = 256
"""Of one object; beyond, the oldest is forgotten. A label that flaps must not fill the memory."""


class Span(NamedTuple, Generic[Value]):
    """A state from an instant to an instant, Unix time in ns."""

    start_ns: int
    end_ns: int
    value: Value


class History(Generic[Value]):
    """The first state known holds from the beginning of time, since nobody saw what was before it."""

    __slots__ = ("_starts", "_values")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._values: list[Value] = []

    def __len__(self) -> int:
        return len(self._values)

    @property
    def first_observed_ns(self) -> int:
        """Observation of the oldest state."""
        return self._starts[0]

    def put(self, observed_at_ns: int, value: Value) -> bool:
        """Take in a state; one of the same instant is replaced. Returns whether anything changed."""
        place = bisect_left(self._starts, observed_at_ns)
        if place < len(self._starts) and self._starts[place] == observed_at_ns:
            if self._values[place] == value:
                return False
            self._values[place] = value
            return True
        if place and self._values[place - 1] == value:
            return False
        if place < len(self._values) and self._values[place] == value:
            self._starts[place] = observed_at_ns
            return True
        self._starts.insert(place, observed_at_ns)
        self._values.insert(place, value)
        del self._starts[:-MAXIMUM_STATES], self._values[:-MAXIMUM_STATES]
        return True

    def spans(self) -> Iterator[Span[Value]]:
        """All states in order of time, without gaps."""
        for place, value in enumerate(self._values):
            start = 0 if place == 0 else self._starts[place]
            end = self._starts[place + 1] if place + 1 < len(self._starts) else ENDLESS_NS
            yield Span(start, end, value)

    def forget_before(self, at_ns: int) -> bool:
        """Drop the states that ended by an instant. Returns whether there were any."""
        count = max(bisect_right(self._starts, at_ns) - 1, 0)
        del self._starts[:count], self._values[:count]
        return count > 0
