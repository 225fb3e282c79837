"""How far each topic was seen by one entry of the state: what a replay brings again is known by it."""

from collections.abc import Collection
from typing import Final

from streams.alert.signal.signal import Place

Seen = dict[str, int]
"""Offset of the last record, by topic and partition."""
_MAXIMUM_PARTITIONS: Final = 256
"""What one entry hears comes by one partition; only what stands for all that is outside hears of several."""


def is_replayed(seen: Seen, place: Place | None) -> bool:
    """Whether the record was seen."""
    return place is not None and place.offset <= seen.get(_name(place.topic, place.partition), -1)


def note_place(seen: Seen, place: Place | None) -> None:
    """Remember a record as the last one of its partition."""
    if place is None:
        return
    seen[_name(place.topic, place.partition)] = place.offset
    if len(seen) > _MAXIMUM_PARTITIONS:
        del seen[next(iter(seen))]


def forget_places(seen: Seen, places: Collection[tuple[str, int]]) -> bool:
    """Forget these, topic and partition, whose offsets have begun again; whether any was seen."""
    names = [name for topic, partition in places if (name := _name(topic, partition)) in seen]
    for name in names:
        del seen[name]
    return bool(names)


def _name(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"
