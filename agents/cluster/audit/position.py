"""How far a log file has been read, and what that means of the files that are there now.

A file is known by device, inode and a digest of its first bytes, since inodes are given out again. Rotation by rename
leaves the file under another name beside its successors; rotation by truncation leaves the inode with a new beginning.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

HEAD_BYTES: Final = 256
_MAXIMUM_LINE_BYTES: Final = 4 << 20
"""An API server's largest event without truncation is its largest request, 3 MiB."""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a file is done with."""

    device: int
    inode: int
    offset: int
    """Of the first byte that is not."""
    head: str
    """Digest of the file's first bytes, at most ``offset`` and 256 of them."""


@dataclass(frozen=True, slots=True)
class Found:
    """One file that is there."""

    name: str
    device: int
    inode: int
    size: int
    changed_at_ns: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines out of a piece of a file."""

    lines: list[bytes]
    used_bytes: int
    """From the piece's beginning, the last newline included."""
    skipped: int
    """Lines that are too long."""


def head_of(data: bytes, offset: int) -> str:
    """Digest of the bytes that tell a file; ``data`` is its beginning."""
    return hashlib.blake2b(data[: min(HEAD_BYTES, offset)], digest_size=16).hexdigest()


def is_same(position: Position, found: Found, read_head: Callable[[str], bytes]) -> bool:
    """Whether a file is the one that the position is of, and goes on from there."""
    if (position.device, position.inode) != (found.device, found.inode):
        return False
    return _begins_alike(position, found, read_head)


def _begins_alike(position: Position, found: Found, read_head: Callable[[str], bytes]) -> bool:
    if found.size < position.offset:
        return False
    data = read_head(found.name)
    return len(data) >= min(HEAD_BYTES, position.offset) and head_of(data, position.offset) == position.head


def to_read(
    position: Position | None, current: str, files: Sequence[Found], read_head: Callable[[str], bytes]
) -> list[tuple[Found, int]]:
    """Files to read and where to begin, oldest first, the one called ``current`` last.

    Without a position, or when its file is gone, the current one from its beginning; what was rotated away unread in
    between is read too, as long as it is there.
    """
    ordered = sorted(files, key=lambda file: (file.name == current, file.changed_at_ns, file.name))
    if position is None:
        return [(file, 0) for file in ordered if file.name == current]
    same = [place for place, file in enumerate(ordered) if is_same(position, file, read_head)]
    # Rotation by truncation leaves a copy of what was there.
    copies = [
        place for place, file in enumerate(ordered) if position.offset and _begins_alike(position, file, read_head)
    ]
    for place in [*same, *copies][:1]:
        return [(ordered[place], position.offset), *((later, 0) for later in ordered[place + 1 :])]
    return [(file, 0) for file in ordered if file.name == current]


def split(data: bytes, *, is_whole: bool) -> Lines:
    """Whole lines of a piece; ``is_whole``: nothing will be added to it, so a last line without an end is one too."""
    end = data.rfind(b"\n") + 1
    if not end and len(data) > _MAXIMUM_LINE_BYTES:
        return Lines([], len(data), 1)
    used = len(data) if is_whole else end
    lines = [line for line in data[:used].split(b"\n") if line.strip()]
    short = [line for line in lines if len(line) <= _MAXIMUM_LINE_BYTES]
    return Lines(short, used, len(lines) - len(short))


def position_text(position: Position) -> str:
    """As the state file keeps it."""
    return json.dumps(asdict(position))


def parse_position(text: str) -> Position | None:
    """None for what is no position: the file is read from its beginning then."""
    try:
        found: Any = json.loads(text)
        device, inode, offset, head = (found[name] for name in ("device", "inode", "offset", "head"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    is_sound = all(isinstance(one, int) and one >= 0 for one in (device, inode, offset)) and isinstance(head, str)
    return Position(device, inode, offset, head) if is_sound else None
