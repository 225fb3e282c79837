"""Decides when an interval ends and which span it covers, whatever the clock does.

Boundaries are multiples of the interval in Unix time, so that all nodes cut at the same instants. Spans never
overlap in the normal course, are never reversed and never longer than an interval: what was slept through is
counted as missed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """One interval: [start, end) in Unix time, ns."""

    start_ns: int
    end_ns: int
    missed: int
    """Whole intervals before it in which this agent did not report."""
    is_clock_stepped: bool
    """The clock went back since the last one; instants of the two may overlap."""


class Schedule:
    """The sequence of spans of one agent."""

    def __init__(self, interval_ns: int, now_ns: int, resumed_end_ns: int | None = None) -> None:
        """``resumed_end_ns`` is where the last interval of the agent's earlier life ended."""
        self._interval_ns = interval_ns
        self._missed = 0
        self._is_clock_stepped = False
        if resumed_end_ns is None:
            self._start_ns = now_ns
        elif resumed_end_ns > now_ns:
            self._start_ns = now_ns
            self._is_clock_stepped = True
        else:
            self._start_ns = resumed_end_ns
            self._skip_to(now_ns)
        self._end_ns = self._boundary_after(self._start_ns)

    def wait_ns(self, now_ns: int) -> int:
        """How long until the interval ends; 0 when it is over."""
        return max(0, self._end_ns - now_ns)

    def note_clock(self, now_ns: int) -> None:
        """Begin anew when the clock was set back by more than an interval, instead of waiting for it."""
        if now_ns < self._start_ns - self._interval_ns:
            self._start_ns, self._end_ns = now_ns, self._boundary_after(now_ns)
            self._is_clock_stepped = True

    def cut(self, now_ns: int) -> Span:
        """End the interval that is over and begin the next."""
        start_ns, missed = self._start_ns, self._missed
        late = (now_ns - self._end_ns) // self._interval_ns
        if late > 0:  # slept: report the last whole interval, the ones before it are missed
            self._end_ns += late * self._interval_ns
            start_ns = self._end_ns - self._interval_ns
            missed += late
        span = Span(start_ns, self._end_ns, missed, self._is_clock_stepped)
        self._begin(self._end_ns)
        self._end_ns += self._interval_ns
        return span

    def cut_short(self, now_ns: int) -> Span:
        """End the interval now, before its boundary: the last one of this life."""
        if now_ns >= self._end_ns:
            return self.cut(now_ns)
        end_ns = max(now_ns, self._start_ns + 1)
        span = Span(self._start_ns, end_ns, self._missed, self._is_clock_stepped)
        self._begin(end_ns)
        return span

    def _begin(self, start_ns: int) -> None:
        self._start_ns, self._missed, self._is_clock_stepped = start_ns, 0, False

    def _skip_to(self, now_ns: int) -> None:
        aligned_ns = now_ns - now_ns % self._interval_ns
        if aligned_ns > self._start_ns:
            self._missed = -(-(aligned_ns - self._start_ns) // self._interval_ns)
            self._start_ns = aligned_ns

    def _boundary_after(self, start_ns: int) -> int:
        return start_ns - start_ns % self._interval_ns + self._interval_ns
