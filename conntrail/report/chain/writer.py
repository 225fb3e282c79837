"""Writes an entry of the chain, whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.report.chain.manifest import NAME, Entry, manifest_text
from conntrail.report.render.part import File


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Make the directory, and keep others from writing to it. Raises CommandError when somebody does."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        held = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CommandError(f"cannot write to {root}: {error.strerror}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise CommandError(f"another conntrail report writes to {root}: try again when it has ended") from error
    finally:
        os.close(held)


def write_entry(root: Path, entry: Entry, files: Sequence[File]) -> Path:
    """Return its directory. What is there under this name, a provisional report, is replaced. Raises CommandError."""
    target, partial, old = (
        root / name for name in (entry.directory, f".{entry.directory}.new", f".{entry.directory}.old")
    )
    try:
        for rest in (partial, old):
            shutil.rmtree(rest, ignore_errors=True)
        partial.mkdir()
        for name, content in [*((file.name, file.content) for file in files), (NAME, manifest_text(entry))]:
            _write(partial / name, content)
        if target.exists():
            target.rename(old)
        partial.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror}") from error
    return target


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
