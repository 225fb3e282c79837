"""What was read of a topic of which alerts are made."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Message(NamedTuple):
    """A record of one of the topics; with a ``fault`` in the place of one that cannot be read."""

    topic: str
    """Without its prefix."""
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    record: Mapping[str, Any] | None
    fault: str = ""
    written_at_ns: int = 0
    """When Kafka took it, Unix time; 0 when it does not say."""
