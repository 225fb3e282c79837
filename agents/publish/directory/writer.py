"""Keeps files of the state directory: each appears whole or not at all, and survives a crash once written."""

import fcntl
import os
from pathlib import Path

from agents.errors import WriteError
from agents.publish.directory.name import LOCK_FILE, STATE_FILE, interval_name
from agents.publish.frame import pack_interval
from agents.publish.interval import Interval


class StateDirectory:
    """The writing side of a state directory. Inert until ``open``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    def open(self) -> None:
        """Create the directory and take it for this process. Raises WriteError when another agent has it."""
        try:
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self._path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WriteError(
                f"state directory {self._path}: another agent uses it; give each agent its own "
                "(CONNTRAIL_AGENT__STATE_DIRECTORY)"
            ) from error
        except OSError as error:
            raise WriteError(f"state directory {self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Let another process have the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_state(self, data: bytes) -> None:
        """Replace the state."""
        self._replace(STATE_FILE, data)

    def write_interval(self, interval: Interval) -> None:
        """Keep an interval until it is removed."""
        self._replace(interval_name(interval.sequence), pack_interval(interval))

    def remove_interval(self, sequence: int) -> None:
        """Remove an interval; one that is gone already is no error."""
        try:
            (self._path / interval_name(sequence)).unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"state directory {self._path}: {error.strerror}") from error

    def _replace(self, name: str, data: bytes) -> None:
        temporary = self._path / f"{name}.new"
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._path / name)
            self._sync_directory()
        except OSError as error:
            raise WriteError(f"state directory {self._path}: {name}: {error.strerror}") from error

    def _sync_directory(self) -> None:
        """A rename is durable only when the directory is."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
