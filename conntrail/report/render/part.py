"""Files in parts, each of one section, so that whoever finds a change can say where it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

BLOCK_BYTES: Final = 16 << 10
"""A part is no longer than this: the byte range that a fault names stays small."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a file, and the section that they belong to."""

    section: str
    content: bytes


@dataclass(frozen=True, slots=True)
class File:
    """One rendering."""

    name: str
    parts: tuple[Part, ...]

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(part.content for part in self.parts)


def file_of(name: str, sections: Iterable[tuple[str, bytes]]) -> File:
    """Sections as they follow each other, cut to blocks."""
    parts = [
        Part(section, content[start : start + BLOCK_BYTES])
        for section, content in sections
        for start in range(0, len(content), BLOCK_BYTES)
    ]
    return File(name, tuple(parts))
