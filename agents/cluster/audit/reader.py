"""Follows an audit log file over rotation, and remembers in a state file how far Kafka has it."""

import os
import stat
from pathlib import Path
from typing import Final

import structlog

from agents.cluster.audit.position import (
    HEAD_BYTES,
    Found,
    Lines,
    Position,
    head_of,
    parse_position,
    position_text,
    split,
    to_read,
)
from agents.errors import ReadError

_PIECE_BYTES: Final = 1 << 20
_MAXIMUM_PIECE_BYTES: Final = 5 << 20
"""More than the longest line."""
_MAXIMUM_STATE_BYTES: Final = 4096
_MAXIMUM_FILES: Final = 1000
_log = structlog.get_logger()


class AuditFile:
    """One log file and what it was rotated to. Inert until ``read``."""

    def __init__(self, path: str, state_file: str) -> None:
        self._path = Path(path)
        self._state_file = Path(state_file) if state_file else None
        self._position: Position | None = None
        self._reached: Position | None = None
        self._is_known = False
        self.fault = ""
        """Why it cannot be read; empty when it can."""

    def read(self) -> Lines:
        """What has come, up to some megabytes; ``confirm`` when it is kept, else the next call gives it again."""
        self._know()
        try:
            files = self._files()
            found = self._next_piece(files)
            is_there = any(file.name == self._path.name for file in files)
            self._note("" if is_there else f"audit log {self._path}: not there yet")
        except OSError as error:
            self._note(f"audit log {self._path}: {error.strerror or error}")
            found = Lines([], 0, 0)
        return found

    def confirm(self) -> None:
        """What the last ``read`` gave is kept. Raises ReadError when the state file cannot be written."""
        if self._reached is None or self._reached == self._position:
            return
        self._position = self._reached
        if self._state_file is None:
            return
        try:
            _write(self._state_file, position_text(self._position))
        except OSError as error:
            raise ReadError(f"{self._state_file}: {error.strerror}: check CONNTRAIL_AUDIT__STATE_FILE") from error

    def _next_piece(self, files: list[Found]) -> Lines:
        """Of the oldest file that has unread lines."""
        plan = to_read(self._position, self._path.name, files, self._head)
        for place, (file, offset) in enumerate(plan):
            is_last = place == len(plan) - 1
            if file.size <= offset:
                continue
            data = self._piece(file, offset, is_whole=not is_last)
            lines = split(data, is_whole=not is_last and offset + len(data) >= file.size)
            if lines.used_bytes or is_last:
                end = offset + lines.used_bytes
                self._reached = Position(file.device, file.inode, end, head_of(self._head(file.name), end))
                return lines
        return Lines([], 0, 0)

    def _piece(self, file: Found, offset: int, *, is_whole: bool) -> bytes:
        """Longer only when one line is: until it ends, or is too long by itself."""
        with (self._path.parent / file.name).open("rb") as handle:
            handle.seek(offset)
            data = handle.read(_PIECE_BYTES)
            if b"\n" not in data and (len(data) == _PIECE_BYTES or is_whole):
                data += handle.read(_MAXIMUM_PIECE_BYTES - _PIECE_BYTES)
        return data

    def _files(self) -> list[Found]:
        """The log, and what it was rotated to: lumberjack and logrotate name them so."""
        found: list[Found] = []
        with os.scandir(self._path.parent) as entries:
            for entry in entries:
                if not self._is_ours(entry.name):
                    continue
                status = entry.stat()
                if stat.S_ISREG(status.st_mode) and len(found) < _MAXIMUM_FILES:
                    size = status.st_size
                    found.append(Found(entry.name, status.st_dev, status.st_ino, size, status.st_mtime_ns))
        return found

    def _is_ours(self, name: str) -> bool:
        is_numbered = name.startswith(self._path.name) and not name.endswith((".gz", ".zst", ".new"))
        is_dated = name.startswith(f"{self._path.stem}-") and name.endswith(self._path.suffix)
        return (is_numbered or is_dated) and (self._state_file is None or name != self._state_file.name)

    def _head(self, name: str) -> bytes:
        with (self._path.parent / name).open("rb") as handle:
            return handle.read(HEAD_BYTES)

    def _know(self) -> None:
        if self._is_known or self._state_file is None:
            return
        try:
            text = self._state_file.read_bytes()[:_MAXIMUM_STATE_BYTES].decode(errors="replace")
            self._position = parse_position(text)
        except FileNotFoundError:
            self._position = None
        except OSError as error:
            raise ReadError(f"{self._state_file}: {error.strerror}: check CONNTRAIL_AUDIT__STATE_FILE") from error
        self._is_known = True

    def _note(self, fault: str) -> None:
        if fault and fault != self.fault:
            _log.warning("audit log not followed for now", reason=fault)
        self.fault = fault


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    scratch.replace(path)
