"""Keeps a stack's state, and one command at a time on it."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from conntrail.errors import CommandError
from conntrail.local.state.layout import Layout
from conntrail.local.state.state import StackState

_OPEN_TO_ALL = 0o755


def make_root(layout: Layout) -> None:
    """Make the data directory, open to the user that Elasticsearch runs as. Raises CommandError when it cannot be."""
    try:
        layout.root.mkdir(mode=_OPEN_TO_ALL, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{layout.root} cannot be made: {error.strerror}; choose another --data-dir") from error


@contextmanager
def held(layout: Layout) -> Iterator[None]:
    """Nobody else changes the stack meanwhile. Raises CommandError when somebody does."""
    try:
        file = layout.lock.open("ab")
    except OSError as error:
        raise CommandError(f"{layout.lock}: {error.strerror}; be its owner, or choose another --data-dir") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"another conntrail local works on {layout.root}: wait for it") from error
        yield


def write_state(layout: Layout, state: StackState) -> None:
    """Replace the state file in one step. Raises CommandError when it cannot be written."""
    fresh = layout.fresh_state
    try:
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
        fresh.replace(layout.state)
    except OSError as error:
        raise CommandError(f"{fresh} cannot be written: {error.strerror}") from error


def wipe(layout: Layout) -> None:
    """Remove what a stack made, and its directory when nothing else is in it. Raises CommandError on a refusal."""
    for path in layout.all:
        _remove(path)
    if not any(layout.root.iterdir()):
        layout.root.rmdir()


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"{error.filename or path} cannot be removed: {error.strerror}") from error
