"""How far each partition of the alerts stage's topics has been read, as it lies beside the state that came of it."""

from collections.abc import Mapping
from typing import Final

import msgspec

POSITIONS: Final = "positions"
"""Key of the entry."""
Positions = dict[tuple[str, int], int]
"""Next offset by topic, without its prefix, and partition."""
_decoder: Final = msgspec.json.Decoder(dict[str, dict[str, int]])


def pack_positions(positions: Mapping[tuple[str, int], int]) -> bytes:
    """JSON: topic, partition, offset."""
    by_topic: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in sorted(positions.items()):
        by_topic.setdefault(topic, {})[str(partition)] = offset
    return msgspec.json.encode(by_topic)


def unpack_positions(data: bytes) -> Positions:
    """Raise ValueError for what is none."""
    try:
        by_topic = _decoder.decode(data)
        return {(topic, int(partition)): offset for topic, own in by_topic.items() for partition, offset in own.items()}
    except msgspec.DecodeError as error:
        raise ValueError(f"no positions: {error}") from error
