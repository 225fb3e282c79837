"""Messages and documents that could not be used, as DeadLetter records."""

from dataclasses import dataclass
from typing import Any

_KEPT_BYTES = 64 << 10
_KEPT_REASON = 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that a stage could not use, and why."""

    stage: str
    reason: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def dead_letter(cluster: str, refused: Refused, observed_at_ns: int) -> dict[str, Any]:
    """The record, its value cut to 64 KiB."""
    value = refused.value
    return {
        "cluster": cluster,
        "stage": refused.stage,
        "reason": refused.reason[:_KEPT_REASON],
        "topic": refused.topic,
        "partition": refused.partition,
        "offset": refused.offset,
        "observed_at_ns": observed_at_ns,
        "key": None if refused.key is None else refused.key[:_KEPT_BYTES],
        "value": None if value is None else value[:_KEPT_BYTES],
        "size_bytes": len(value or b""),
    }
