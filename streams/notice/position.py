"""How far a subscriber has read: the next offset of each partition, as text that a client gives back to go on there."""

import re
from collections.abc import Mapping
from typing import Final

_PART: Final = re.compile(r"(\d{1,5}):(\d{1,19})")
_MAXIMUM_LETTERS: Final = 8_000
"""What fits the header line of a request."""
Position = Mapping[int, int]


class PositionError(ValueError):
    """A position is none of ours."""


def position_text(position: Position) -> str:
    """``partition:offset`` of each partition, in their order."""
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(position.items()))


def parse_position(text: str) -> dict[int, int]:
    """The opposite. Raises PositionError."""
    parts = [_PART.fullmatch(part) for part in text[: _MAXIMUM_LETTERS + 1].split(",")]
    if len(text) > _MAXIMUM_LETTERS or not all(parts):
        raise PositionError("the position is none of ours: give Last-Event-ID back as it was, or leave it away")
    return {int(part[1]): int(part[2]) for part in parts if part is not None}
