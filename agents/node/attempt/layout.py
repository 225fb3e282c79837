"""One arrangement of a log message, learned from one message, then read from many as columns.

Only what is alike in all but its values is read here: every attribute's header, the rule's prefix and the form of the
packet must agree with the message that was learned from. ``parse`` reads whatever is odd, and is what this must agree
with.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.attempt.columns import ATTEMPT, REJECTED, TRANSLATED, Attempts
from agents.node.attempt.head import HeadLayout
from agents.node.attempt.parse import kind_of
from agents.node.conntrack.attribute import FIELDS
from agents.node.conntrack.attribute import walk as walk_nested
from agents.node.datagram.message import Bytes, Flags, Pattern, address, column
from agents.node.log_group.message import (
    ATTRIBUTES_AT,
    CREDIBLE_NS,
    PAYLOAD,
    PREFIX,
    TIME_BYTES,
    TIMESTAMP,
    TRACKED,
    walk,
)

_HEADER_BYTES: Final = 4
_ADDRESSES: Final = frozenset({"original_source", "original_destination", "reply_source", "reply_destination"})
_TUPLE_FIELDS: Final = {
    *(f"{end}{part}" for end in _ADDRESSES for part in ("", "_port")),
    "protocol",
}
_ZONE: Final = (18,)


class Layout:
    """Reads messages of one length and one arrangement."""

    def __init__(self, message: bytes) -> None:
        """Learn from a message. Raises ValueError when it is better read by itself."""
        mask = np.zeros(len(message), np.uint8)
        values = _find_values(message, mask)
        start, end = values.get(PREFIX, (0, 0))
        kind = kind_of(message[start:end])
        if kind is None or kind == REJECTED or PAYLOAD not in values:
            raise ValueError("no first packet")
        mask[start:end] = 0xFF
        self._kind = kind
        self._time_at = values.get(TIMESTAMP, (0, 0))[0]
        self._head = HeadLayout(message, *values[PAYLOAD], mask)
        self._tracked = _find_tuples(message, *values[TRACKED], mask) if TRACKED in values else {}
        self._pattern = Pattern(message, mask)

    def fits(self, rows: Bytes) -> Flags:
        """Which of these messages have this arrangement."""
        return self._pattern.fits(rows) & self._head.fits(rows)

    def read(self, rows: Bytes, received_at_ns: int) -> Attempts:
        """Rows of messages that fit; those without a time of their own were seen at ``received_at_ns``."""
        attempts = np.zeros(len(rows), ATTEMPT)
        self._head.read(rows, attempts)
        if self._tracked:
            self._read_tuples(rows, attempts)
        elif self._kind == TRANSLATED:
            for part in ("high", "low", "port"):
                attempts[f"original_destination_{part}"] = 0
        attempts["kind"] = self._kind
        attempts["seen_at_ns"] = self._seen_at(rows, received_at_ns) if self._time_at else received_at_ns
        return attempts

    def _read_tuples(self, rows: Bytes, attempts: Attempts) -> None:
        for name in _TUPLE_FIELDS - _ADDRESSES - self._tracked.keys():
            attempts[name] = 0
        for name, (offset, size) in self._tracked.items():
            if name in _ADDRESSES:
                attempts[f"{name}_high"], attempts[f"{name}_low"] = address(rows, offset, size)
            else:
                attempts[name] = column(rows, offset, f">u{size}")

    def _seen_at(self, rows: Bytes, received_at_ns: int) -> npt.NDArray[np.int64]:
        seconds, microseconds = (column(rows, self._time_at + at, ">u8") for at in (0, 8))
        # Larger numbers, which are none of the kernel's, would overflow.
        is_credible = (seconds <= received_at_ns // 10**9) & (microseconds < 10**6)
        seen_at_ns = (seconds * np.uint64(10**9) + microseconds * np.uint64(1000)).astype(np.int64)
        age_ns = received_at_ns - seen_at_ns
        is_credible &= (age_ns > 0) & (age_ns < CREDIBLE_NS)
        return np.where(is_credible, seen_at_ns, received_at_ns)


def _find_values(message: bytes, mask: Bytes) -> dict[int, tuple[int, int]]:
    """Start and end of each attribute's value; marks their headers in ``mask``."""
    found: dict[int, tuple[int, int]] = {}
    for kind, start, end in walk(message, ATTRIBUTES_AT, len(message)):
        if kind in found:
            raise ValueError(f"attribute {kind} is there twice")
        if kind == TIMESTAMP and end - start != TIME_BYTES:
            raise ValueError("no time of the kernel's")
        mask[start - _HEADER_BYTES : start] = 0xFF
        found[kind] = (start, end)
    return found


def _find_tuples(message: bytes, start: int, end: int, mask: Bytes) -> dict[str, tuple[int, int]]:
    """Start and size of each field of conntrack's tuples; marks the attributes' headers in ``mask``."""
    found: dict[str, tuple[int, int]] = {}
    paths = set()
    for attribute in walk_nested(message, start, end):
        if attribute.path in paths:
            raise ValueError("an attribute is there twice")
        paths.add(attribute.path)
        mask[attribute.header : attribute.value] = 0xFF
        name, size = FIELDS.get(attribute.path, ("", 0))
        if name.startswith("icmp") or (name == "zone" and attribute.path != _ZONE):
            raise ValueError(f"{name} beside ports")
        if name in _TUPLE_FIELDS or name == "zone":
            if attribute.size != size or name in found:
                raise ValueError(f"{name} of {attribute.size} bytes")
            found[name] = (attribute.value, size)
    if not found.keys() >= _ADDRESSES:
        raise ValueError("not all ends are there")
    return found
