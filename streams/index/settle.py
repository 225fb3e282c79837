"""Which emissions a call's documents belong to, and which revisions of each it holds."""

from collections.abc import Iterable
from dataclasses import dataclass

from streams.index.document import Span


@dataclass(frozen=True, slots=True)
class Emission:
    """One span as a call's documents show it."""

    latest: Span
    """Of the highest revision; one that replaces, if any of that revision does."""
    lowest_revision: int


def emissions(spans: Iterable[Span | None]) -> list[Emission]:
    """The distinct spans, in the order in which they came."""
    latest: dict[str, Span] = {}
    lowest: dict[str, int] = {}
    for span in spans:
        if span is None:
            continue
        known = latest.get(span.id)
        if known is None or (span.revision, span.replaces) > (known.revision, known.replaces):
            latest[span.id] = span
        lowest[span.id] = min(lowest.get(span.id, span.revision), span.revision)
    return [Emission(span, lowest[name]) for name, span in latest.items()]
