"""Numbers for things that columns refer to."""

from collections.abc import Iterable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Numbering(Generic[Value]):
    """A list whose places are given out. A place that was given back rests a while before it means something else."""

    def __init__(self, nothing: Value) -> None:
        """``nothing`` stands where a value was."""
        self.values: list[Value] = []
        self._nothing = nothing
        self._resting: list[int] = []
        self._free: list[int] = []

    def add(self, value: Value) -> int:
        """Number of a new value."""
        if self._free:
            number = self._free.pop()
            self.values[number] = value
            return number
        self.values.append(value)
        return len(self.values) - 1

    def give_back(self, numbers: Iterable[int]) -> None:
        """Nobody asks for these any more. Those of the call before this one may be used again from now on."""
        self._free += self._resting
        self._resting = list(numbers)
        for number in self._resting:
            self.values[number] = self._nothing
