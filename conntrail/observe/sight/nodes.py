"""What each node saw of a span, by what it told of its intervals, in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from conntrail.observe.render import text
from conntrail.text import printable

LOOK_BACK_MS: Final = 600_000
"""A node that told something within this time before the span is missed when it tells nothing of it."""
DUE_MS: Final = 60_000
"""Silence that is no matter of a node that told something: a report may be on its way, a node may have come or gone."""
MOST_NODES: Final = 10_000
_MOST_NAMED: Final = 5
_MOST_SPANS: Final = 100
"""Told without a break between, of one node; what is told again of more counts twice."""
_SIGHTS: Final = ("lossy", "blind", "silent")
_UNITS: Final = ((3_600_000, "h"), (60_000, "m"), (1000, "s"))


@dataclass(slots=True)
class NodeSight:
    """How long one node told that it saw everything, or less; ms, of the span that is asked for."""

    told_ms: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[int, int]] = field(default_factory=list)
    """What it told of, in order: a worker that reads a part again tells its interval again."""

    def add_span(self, coverage: str, begun_ms: int, ended_ms: int) -> None:
        """As much of it as was not told before."""
        touching = [span for span in self.spans if span[0] <= ended_ms and span[1] >= begun_ms]
        told_ms = sum(min(end, ended_ms) - max(begin, begun_ms) for begin, end in touching)
        self.add(coverage, ended_ms - begun_ms - told_ms)
        whole = min([begun_ms, *(begin for begin, _ in touching)]), max([ended_ms, *(end for _, end in touching)])
        self.spans = sorted([*(span for span in self.spans if span not in touching), whole])[-_MOST_SPANS:]

    def add(self, coverage: str, length_ms: int) -> None:
        """Of a word that nobody knows it is not known what was seen."""
        self.told_ms[coverage if coverage in ("complete", "lossy") else "blind"] += max(0, length_ms)


def add_interval(nodes: dict[str, NodeSight], document: Mapping[str, Any], since_ms: int, until_ms: int) -> None:
    """Count in what a node told of an interval, as much of it as lies in the span."""
    name = text(document, "observer.name")
    begun, ended = (_milliseconds(text(document, f"event.{side}")) for side in ("start", "end"))
    if begun < until_ms and (name in nodes or len(nodes) < MOST_NODES):
        sight, begun, ended = nodes.setdefault(name, NodeSight()), max(begun, since_ms), min(ended, until_ms)
        if begun < ended:
            sight.add_span(text(document, "flow.coverage"), begun, ended)


def words(nodes: Mapping[str, NodeSight], since_ms: int, until_ms: int, zone: tzinfo | None) -> str:
    """One line on all of them."""
    span = f"{_clock(since_ms, zone)} to {_clock(until_ms, zone)}"
    if not nodes:
        return f"INCOMPLETE: no node told what it saw from {span}: do agents run?"
    found = {name: partly for name, sight in sorted(nodes.items()) if (partly := _partly(sight, until_ms - since_ms))}
    if not found:
        return f"from {span} {len(nodes)} node{'s' * (len(nodes) != 1)} saw everything"
    named = [f"{name} {partly}" for name, partly in list(found.items())[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        named.append(f"and {len(found) - _MOST_NAMED} more")
    whole = len(nodes) - len(found)
    return printable(
        f"INCOMPLETE: from {span} {whole} of {len(nodes)} nodes saw everything; {'; '.join(named)}: "
        "few are no proof of little traffic"
    )


def _partly(sight: NodeSight, length_ms: int) -> str:
    """How long it saw less than everything."""
    told_ms = sight.told_ms.total()
    silent_ms = length_ms - told_ms
    found = {**sight.told_ms, "silent": silent_ms if silent_ms > DUE_MS or not told_ms else 0}
    return ", ".join(f"{kind} {_duration(found[kind])}" for kind in _SIGHTS if found.get(kind))


def _duration(length_ms: int) -> str:
    """The two greatest units."""
    parts = []
    for unit_ms, unit in _UNITS:
        count, length_ms = divmod(length_ms, unit_ms)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts[:2]) or "0s"


def _clock(at_ms: int, zone: tzinfo | None) -> str:
    written = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).isoformat(timespec="seconds")
    return f"{written.removesuffix('+00:00')}Z" if written.endswith("+00:00") else written


def _milliseconds(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


def of_buckets(buckets: Iterable[Mapping[str, Any]]) -> dict[str, NodeSight]:
    """Of Elasticsearch's sums by node and coverage, of intervals as a whole."""
    nodes: dict[str, NodeSight] = {}
    for bucket in buckets:
        sight = nodes.setdefault(str(bucket["key"]), NodeSight())
        for of_coverage in bucket["of_span"]["coverage"]["buckets"]:
            sight.add(str(of_coverage["key"]), round(of_coverage["duration"]["value"] / 1_000_000))
    return nodes
