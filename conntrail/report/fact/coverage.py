"""What was seen at all: each node's intervals put on one line of time, and what is missing from it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final, Literal

from conntrail.policy.history.document import Body, time_ms
from conntrail.policy.history.period import Period
from conntrail.report.fact.bounded import Bounded

Sight = Literal["complete", "lossy", "blind", "silent"]
SIGHTS: Final[tuple[Sight, ...]] = ("complete", "lossy", "blind", "silent")
LOOK_BACK_MS: Final = 86_400_000
"""A node that reported within a day before the period is missed when it does not report in it."""
MAXIMUM_SPANS: Final = 20_000
MAXIMUM_NODES: Final = 20_000
BEFORE_FIRST: Final = "before its first report: perhaps the node was not there yet"
AFTER_LAST: Final = "after its last report: perhaps the node is gone"
NEVER: Final = "no report at all: it has no agent, or the node is gone"
_WORDS: Final[Mapping[str, Sight]] = {"complete": "complete", "lossy": "lossy", "blind": "blind"}


@dataclass(frozen=True, slots=True)
class Interval:
    """One node's word on one interval; Unix time, ms."""

    node: str
    start_ms: int
    end_ms: int
    sight: Sight
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Life:
    """When a node came and went, as the cluster's changes tell; Unix time, ms."""

    created_ms: int = 0
    deleted_ms: int = 0

    def merge(self, other: "Life", /) -> None:
        """The last word of each sort."""
        self.created_ms = max(self.created_ms, other.created_ms)
        self.deleted_ms = max(self.deleted_ms, other.deleted_ms)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a node's line; Unix time, ms."""

    start_ms: int
    end_ms: int
    sight: Sight
    lost: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    def merge(self, other: "Span", /) -> None:
        """Spans that there is no room for are only counted, by their length."""


class Coverage:
    """Intervals in, spans and sums out."""

    def __init__(self, period: Period, due_ms: int, maximum_spans: int = MAXIMUM_SPANS) -> None:
        """``due_ms``: reports of what lies behind it may be on their way, so it is not missed; Unix time, ms."""
        self._period = period
        self._due_ms = min(due_ms, period.until_ms)
        self._spans: Bounded[tuple[str, int], Span] = Bounded(maximum_spans)
        self.total_ms: dict[Sight, int] = dict.fromkeys(SIGHTS, 0)
        self.nodes = 0

    def read(self, intervals: Iterable[Interval], lives: Mapping[str, Life]) -> None:
        """Take all intervals in, sorted by node and start, from LOOK_BACK_MS before the period on."""
        silent = set(lives)
        for node, told in groupby(intervals, key=lambda interval: interval.node):
            silent.discard(node)
            self._add(node, line(told, self._period, lives.get(node, Life()), self._due_ms))
        for node in sorted(silent):
            if lives[node].created_ms:
                self._add(node, line((), self._period, lives[node], self._due_ms))

    def spans(self) -> list[tuple[tuple[str, int], Span]]:
        """In which a node did not see everything, by node and start."""
        return self._spans.items()

    @property
    def has_more(self) -> bool:
        """Whether there was no room for some spans."""
        return self._spans.rest() is not None

    def _add(self, node: str, spans: Iterator[Span]) -> None:
        count = 0
        for span in _joined(spans):
            count += 1
            self.total_ms[span.sight] += span.end_ms - span.start_ms
            if span.sight != "complete":
                self._spans.add((node, span.start_ms), span)
        self.nodes += bool(count)


def line(intervals: Iterable[Interval], period: Period, life: Life, due_ms: int) -> Iterator[Span]:
    """One node's period without a hole, from when the node was there to when it was gone."""
    at_ms = max(period.since_ms, life.created_ms if life.created_ms < period.until_ms else 0)
    is_known, has_reported = bool(life.created_ms), False
    for interval in intervals:
        if interval.end_ms <= period.since_ms:
            is_known = True
            continue
        # A node that reports before its object was made, or again after it was removed, is there all the same.
        at_ms = at_ms if has_reported else min(at_ms, max(interval.start_ms, period.since_ms))
        start_ms, end_ms = max(interval.start_ms, at_ms), min(interval.end_ms, period.until_ms)
        if start_ms > at_ms:
            yield Span(at_ms, start_ms, "silent", note="" if is_known or has_reported else BEFORE_FIRST)
        is_known = has_reported = True
        if end_ms > start_ms:
            yield Span(start_ms, end_ms, interval.sight, interval.lost)
            at_ms = end_ms
    is_gone = life.deleted_ms > life.created_ms
    until_ms = min(life.deleted_ms, due_ms) if is_gone else due_ms
    if until_ms > at_ms:
        note = "" if is_gone else AFTER_LAST if has_reported else NEVER
        yield Span(at_ms, until_ms, "silent", note=note)


def interval_of(body: Body) -> Interval:
    """What a node said. A word for its sight that nobody knows is no reason to trust it."""
    event, lost = body["event"], body.get("conntrail", {}).get("lost", {})
    return Interval(
        node=str(body["observer"]["name"]),
        start_ms=time_ms(event["start"]),
        end_ms=time_ms(event["end"]),
        sight=_WORDS.get(body.get("flow", {}).get("coverage", ""), "blind"),
        lost={str(cause): int(count) for cause, count in lost.items()},
    )


def lives_of(bodies: Iterable[Body]) -> Mapping[str, Life]:
    """By node, of changes that tell of nodes."""
    found: Bounded[str, Life] = Bounded(MAXIMUM_NODES)
    for body in bodies:
        at_ms, action = time_ms(body["@timestamp"]), body["event"]["action"]
        if action in ("created", "deleted"):
            life = Life(created_ms=at_ms) if action == "created" else Life(deleted_ms=at_ms)
            found.add(str(body["orchestrator"]["resource"]["name"]), life)
    return dict(found.items())


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of one sight as one."""
    last: Span | None = None
    for span in spans:
        if last is not None and (last.end_ms, last.sight, last.note) == (span.start_ms, span.sight, span.note):
            last = replace(last, end_ms=span.end_ms, lost=_added(last.lost, span.lost))
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> Mapping[str, int]:
    if not second:
        return first
    return {cause: first.get(cause, 0) + second.get(cause, 0) for cause in first.keys() | second.keys()}
