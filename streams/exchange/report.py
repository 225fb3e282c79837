"""Which node could see when, as far as the batches of one partition tell. Spans of a node that meet become one.

An agent that slept, as on a crowded machine, reports its last interval and how many it missed before. What passed in
those the kernel kept for it as far as there was room, and it is in the report: the node saw that time.
"""

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from schemas.batch import Batch
from streams.metadata.timeline import Numbers

Flags = npt.NDArray[np.bool_]
_MAXIMUM_SPANS = 1024
"""Of one node: what a node that is away every other interval makes in hours. Then the oldest go."""
_LONGEST_SLEEP_NS = 3600 * 10**9
"""The retention of the topic: no report of others is older."""


def seen_from_ns(batch: Batch) -> int:
    """Unix time, ns, from which on a batch tells what its node saw.

    What was missed before an agent's first interval passed while there was none.
    """
    missed = batch.lost.get("intervals_missed", 0) if batch.sequence else 0
    slept_ns = missed * (batch.interval_end_ns - batch.interval_start_ns)
    return batch.interval_start_ns - min(slept_ns, _LONGEST_SLEEP_NS)


class Reports:
    """Spans of event time, Unix ns, half open, by node."""

    def __init__(self) -> None:
        self._spans: dict[str, list[tuple[int, int]]] = {}

    def note(self, batch: Batch) -> None:
        """Take note of a batch; the same one again changes nothing, and a blind node reports nothing."""
        if batch.coverage == "blind":
            return
        spans = self._spans.setdefault(batch.node, [])
        start, end = seen_from_ns(batch), batch.interval_end_ns
        first = bisect_left(spans, start, key=lambda span: span[1])
        last = first
        while last < len(spans) and spans[last][0] <= end:
            start, end = min(start, spans[last][0]), max(end, spans[last][1])
            last += 1
        spans[first:last] = [(start, end)]
        del spans[:-_MAXIMUM_SPANS]

    def touch(self, node: str, first_ns: Numbers, last_ns: Numbers) -> Flags:
        """Whether the node reported any of the time from each first instant to its last."""
        spans = self._spans.get(node)
        if not spans:
            return np.zeros(len(first_ns), np.bool_)
        starts, ends = np.array(spans, np.int64).T
        places = np.searchsorted(ends, first_ns, side="right")
        found: Flags = (places < len(ends)) & (starts[np.minimum(places, len(ends) - 1)] <= last_ns)
        return found

    def forget_before(self, at_ns: int) -> None:
        """Drop what ended before an instant that nothing can ask for any more."""
        for node, spans in list(self._spans.items()):
            kept = [span for span in spans if span[1] > at_ns]
            if kept:
                self._spans[node] = kept
            else:
                del self._spans[node]
