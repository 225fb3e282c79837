"""Reads a directory of reports: one directory a day, or an amendment of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from conntrail.errors import CommandError
from conntrail.report.chain.manifest import MAXIMUM_BYTES, NAME

_ENTRY: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.\d+)?")


def entry_directories(root: Path) -> list[str]:
    """Names of what may be entries, in order. Raises CommandError when the directory cannot be read."""
    try:
        return sorted(path.name for path in root.iterdir() if _ENTRY.fullmatch(path.name))
    except OSError as error:
        raise CommandError(f"cannot read {root}: {error.strerror}") from error


def read_manifests(root: Path) -> Iterator[tuple[str, bytes | None]]:
    """Of each entry's directory; None when there is none that can be read."""
    for name in entry_directories(root):
        yield name, read_file(root / name / NAME, MAXIMUM_BYTES + 1)


def file_names(directory: Path) -> list[str]:
    """Everything in an entry's directory."""
    try:
        return sorted(path.name for path in directory.iterdir())
    except OSError:
        return []


def read_file(path: Path, maximum_bytes: int = -1) -> bytes | None:
    """None when it is no file, or cannot be read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(maximum_bytes)
    except OSError:
        return None
