"""Steps and windows of event time: half-open spans [start, start + length) on multiples of their length."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spans:
    """Lengths in ns. A window holds a whole number of steps."""

    size_ns: int
    step_ns: int
    grace_ns: int

    def __post_init__(self) -> None:
        """Raise ValueError when a window is no whole number of steps."""
        if self.step_ns <= 0 or self.size_ns % self.step_ns:
            raise ValueError("the window's size must be a whole number of steps")

    def step_of(self, at_ns: int) -> int:
        """Start of the step that holds an instant."""
        return at_ns - at_ns % self.step_ns

    def window_of(self, at_ns: int) -> int:
        """Start of the window that holds an instant."""
        return at_ns - at_ns % self.size_ns

    def steps_of(self, window_ns: int) -> Sequence[int]:
        """Starts of the steps of a window."""
        return range(window_ns, window_ns + self.size_ns, self.step_ns)

    def windows_between(self, start_ns: int, end_ns: int) -> Sequence[int]:
        """Starts of the windows that [start, end) touches."""
        return range(self.window_of(start_ns), end_ns, self.size_ns)

    def steps_between(self, start_ns: int, end_ns: int) -> Sequence[int]:
        """Starts of the steps that [start, end) touches."""
        return range(self.step_of(start_ns), end_ns, self.step_ns)
