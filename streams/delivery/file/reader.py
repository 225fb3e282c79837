"""Reads the file of receivers with what it refers to, and looks whether it has changed."""

import os
import tomllib
from pathlib import Path
from typing import Final

from runtime.reader import certificates
from runtime.settings import SettingsError
from streams.delivery.receiver import Receiver, ReceiverError, build_receiver, line_of, parse_entries

_SETTING: Final = "CONNTRAIL_ALERTS__RECEIVERS"
_MAXIMUM_SECRET: Final = 64 << 10
Receivers = tuple[Receiver, ...]


class ReceiverFile:
    """Not thread-safe. What it holds counts when two looks in a row find the same: it may be half written at one."""

    def __init__(self, path: str) -> None:
        """Read it. Raises SettingsError."""
        self.receivers = read_receivers(path)
        """Those in force."""
        self.fault = ""
        """Why what the file says now is not in force."""
        self._path = path
        self._seen: Receivers | str = self.receivers

    @property
    def is_there(self) -> bool:
        """Whether there is a file at all."""
        return bool(self._path)

    def look(self) -> bool:
        """Whether other receivers, or another fault, are there now than before. What is bad leaves them as they are."""
        try:
            found: Receivers | str = read_receivers(self._path)
        except SettingsError as error:
            found = str(error)
        before, self._seen = self._seen, found
        if found != before or found == (self.fault or self.receivers):
            return False
        if isinstance(found, str):
            self.fault = found
        else:
            self.receivers, self.fault = found, ""
        return True


def read_receivers(path: str) -> tuple[Receiver, ...]:
    """Of the file; none without a path. Raises SettingsError with one line that names what is wrong."""
    if not path:
        return ()
    text = ""
    try:
        text = Path(path).read_text(encoding="utf-8")
        entries = parse_entries(tomllib.loads(text))
        for name, entry in entries.items():
            _require_authorities(name, entry.ca_certs)
        return tuple(
            build_receiver(
                name,
                entry,
                entry.url or _referred(name, entry.url_file, entry.url_env),
                _referred(name, entry.secret_file, entry.secret_env),
            )
            for name, entry in entries.items()
        )
    except OSError as error:
        raise SettingsError(f"{_SETTING}={path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{_SETTING}={path}: not TOML: {error}") from error
    except ReceiverError as error:
        line = line_of(text, error.receiver)
        raise SettingsError(f"{_SETTING}={path}: {f'line {line}: ' if line else ''}{error}") from error


def _require_authorities(name: str, path: str) -> None:
    try:
        if path:
            certificates("ca_certs", path)
    except SettingsError as error:
        raise ReceiverError(str(error), name) from error


def _referred(name: str, file: str, variable: str) -> str:
    """What a file or a variable holds, without white space around it; empty when there is no reference."""
    if variable:
        if not os.environ.get(variable):
            raise ReceiverError(f"the variable {variable} is not set", name)
        return os.environ[variable].strip()
    if not file:
        return ""
    try:
        text = Path(file).read_text(encoding="utf-8")[:_MAXIMUM_SECRET].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ReceiverError(f"{file}: {getattr(error, 'strerror', '') or 'not text'}", name) from error
    if not text:
        raise ReceiverError(f"{file} is empty", name)
    return text
