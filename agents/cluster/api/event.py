"""A watch's stream of bytes as events, one JSON object a line.

Source: Kubernetes documentation, API concepts, "Efficient detection of changes".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agents.cluster.record.value import mapping, number, text

Object = Mapping[str, Any]
_MAXIMUM_LINE_BYTES: Final = 16 << 20
"""Ten times what the API server stores of an object."""


class StreamError(ValueError):
    """The stream is no watch; the message says why."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and the object, or the Status that says why."""

    type: str
    value: Object

    @property
    def version(self) -> str:
        """From where to watch on."""
        return text(self.value, "metadata", "resourceVersion")

    @property
    def code(self) -> int:
        """Of an error: as in HTTP."""
        return number(self.value, "code")

    @property
    def reason(self) -> str:
        """Of an error: in words."""
        return text(self.value, "message") or text(self.value, "reason")


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines out of chunks cut anywhere; the last, unfinished one is dropped.

    Raises StreamError for an endless one.
    """
    rest: list[bytes] = []
    length = 0
    for chunk in chunks:
        *lines, last = chunk.split(b"\n")
        for line in lines:
            yield b"".join([*rest, line])
            rest, length = [], 0
        rest.append(last)
        length += len(last)
        if length > _MAXIMUM_LINE_BYTES:
            raise StreamError(f"a line of more than {_MAXIMUM_LINE_BYTES} bytes")


def parse_event(line: bytes) -> WatchEvent:
    """Raise StreamError when the line is no event."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise StreamError(f"no JSON: {error}") from error
    return WatchEvent(text(found, "type"), mapping(found, "object"))
