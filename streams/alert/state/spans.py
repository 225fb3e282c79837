"""Which revision of which window is the present one: windows that were withdrawn without a word count no more."""

from typing import Final

import msgspec

from streams.alert.signal.signal import Emission, SpanSignal
from streams.alert.state.shelf import Shelf
from streams.alert.state.tally import Entry

_MAXIMUM_SPANS: Final = 64
"""Of one partition: longer than the windows of rules reach back, in windows of ten seconds."""


class SpanState(msgspec.Struct, array_like=True):
    """Of one partition of flows.raw: end of a window → the lowest revision that is not stale."""

    heard_ns: int = 0
    revisions: dict[int, int] = msgspec.field(default_factory=dict)


class SpanBook:
    """Of all partitions."""

    def __init__(self, shelf: Shelf[SpanState]) -> None:
        self._shelf = shelf
        self._spans = {key: shelf.get(key) or SpanState() for key in shelf}

    def note(self, signal: SpanSignal) -> None:
        """A span was emitted again."""
        key = self._shelf.key(str(signal.partition))
        state = self._spans.setdefault(key, SpanState())
        if state.revisions.get(signal.end_ns, -1) >= signal.revision:
            return
        state.heard_ns = max(state.heard_ns, signal.end_ns)
        state.revisions[signal.end_ns] = signal.revision
        while len(state.revisions) > _MAXIMUM_SPANS:
            del state.revisions[min(state.revisions)]
        self._shelf.put(key, state)

    def is_stale(self, emission: Emission | None) -> bool:
        """Whether a higher revision of the same span is known."""
        return emission is not None and emission.revision < self._present(emission.partition, emission.end_ns)

    def is_current(self, entry: Entry) -> bool:
        """Whether what an entry tells still holds."""
        return entry.is_prompt or entry.revision >= self._present(entry.partition, entry.end_ns)

    def _present(self, partition: int, end_ns: int) -> int:
        state = self._spans.get(self._shelf.key(str(partition)))
        return -1 if state is None else state.revisions.get(end_ns, -1)
