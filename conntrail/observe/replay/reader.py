"""Brings documents in from a file or standard input, as ``-o jsonl`` wrote them: one JSON object a line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from conntrail.errors import CommandError

Document = dict[str, Any]
_MOST_BYTES: Final = 1 << 20
"""Of a line; a document takes some KiB."""
_STANDARD_INPUT: Final = "-"


def read_documents(path: str, complain: Callable[[str], None]) -> Iterator[Document]:
    """In the file's order, as they come. ``-`` is standard input. Raises CommandError when it cannot be read.

    Lines that are no such documents are passed over and counted; ``complain`` is told how many.
    """
    unfit = 0
    try:
        with _opened(path) as lines:
            while line := lines.readline(_MOST_BYTES):
                if not line.endswith(b"\n"):
                    _skip(lines, line)
                document = _document(line)
                if document is not None:
                    yield document
                elif line.strip():
                    unfit += 1
    except OSError as error:
        raise CommandError(f"--input-file {path}: {error.strerror}") from error
    if unfit:
        complain(f"INCOMPLETE: {unfit} lines of {path} are no documents as conntrail observe -o jsonl writes them")


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == _STANDARD_INPUT else Path(path).open("rb")


def _skip(lines: BinaryIO, line: bytes) -> None:
    """Pass over the rest of a line that is too long."""
    while len(line) == _MOST_BYTES and not line.endswith(b"\n"):
        line = lines.readline(_MOST_BYTES)


def _document(line: bytes) -> Document | None:
    """None when it is none, or has no time with a zone."""
    try:
        found = msgspec.json.decode(line)
        is_one = isinstance(found, dict) and datetime.fromisoformat(found["@timestamp"]).tzinfo is not None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if is_one else None
