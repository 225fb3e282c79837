"""Failures of one edge within the longest window, each record for itself so that a higher revision replaces it."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

import msgspec

_MAXIMUM_ENTRIES: Final = 48
"""Ten minutes of one-minute windows from a few partitions; beyond, the oldest goes and is counted."""
KEPT_NS: Final = 600 * 10**9
_BUCKET_NS: Final = 15 * 10**9
"""Of what is kept, 40: room is left for what came last, told apart so that both nodes' reports of it count once."""


class Entry(msgspec.Struct, array_like=True):
    """What one record told."""

    id: str
    revision: int
    partition: int
    """Of flows.raw; -1 for prompt facts."""
    end_ns: int
    at_ns: int
    """When it failed, at the earliest."""
    denied: int
    failed: int

    @property
    def is_prompt(self) -> bool:
        """Of packets, not of a window."""
        return self.partition < 0


def put_entry(entries: list[Entry], entry: Entry) -> tuple[int, int]:
    """Add or replace; the difference it makes to the sum, and how many entries had to go. A lower revision changes
    nothing.
    """
    for index, known in enumerate(entries):
        if known.id == entry.id:
            if known.revision >= entry.revision:
                return 0, 0
            entries[index] = entry
            return entry.denied + entry.failed - known.denied - known.failed, 0
    entries.append(entry)
    stale = sum(known.end_ns <= entry.end_ns - KEPT_NS for known in entries)
    if stale:
        entries[:] = [known for known in entries if known.end_ns > entry.end_ns - KEPT_NS]
    evicted = 0
    while len(entries) > _MAXIMUM_ENTRIES:
        evicted += not _condense(entries)
    return entry.denied + entry.failed, evicted


def _condense(entries: list[Entry]) -> bool:
    """Add two prompt neighbours together, so that a burst is counted whole; else drop the oldest, and say False."""
    for index, (first, second) in enumerate(pairwise(entries)):
        is_near = first.end_ns // _BUCKET_NS == second.end_ns // _BUCKET_NS
        if first.is_prompt and second.is_prompt and is_near:
            second.denied += first.denied
            second.failed += first.failed
            del entries[index]
            return True
    del entries[0]
    return False


def sums(entries: Iterable[Entry], after_ns: int, is_current: Callable[[Entry], bool]) -> tuple[int, int]:
    """Denied and failed of what ended after an instant. Prompt facts and windows tell the same twice: the greater
    counts.
    """
    prompt, settled = [0, 0], [0, 0]
    for entry in entries:
        if entry.end_ns > after_ns and is_current(entry):
            side = prompt if entry.is_prompt else settled
            side[0] += entry.denied
            side[1] += entry.failed
    return max(prompt[0], settled[0]), max(prompt[1], settled[1])
