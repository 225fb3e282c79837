"""Writes secrets into files that their owner alone reads."""

import os
from pathlib import Path
from typing import Final

from conntrail.errors import CommandError

_OWN_DIRECTORY: Final = 0o700
_OWN_FILE: Final = 0o600


class SecretDirectory:
    """A directory for each user with a file for each secret, as ``kubectl create secret generic --from-file`` takes."""

    def __init__(self, path: Path) -> None:
        """Make it, before a secret is made that could not be kept. Raises CommandError."""
        self._path = path
        try:
            path.mkdir(mode=_OWN_DIRECTORY, parents=True, exist_ok=True)
            if not os.access(path, os.W_OK):
                raise PermissionError(None, "Permission denied", str(path))
        except OSError as error:
            raise _fault(path, error) from error

    def keep(self, user: str, name: str, secret: str) -> None:
        """Write one, in place of an older. Raises CommandError."""
        path = self._path / user / name
        try:
            path.parent.mkdir(mode=_OWN_DIRECTORY, exist_ok=True)
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _OWN_FILE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secret)
        except OSError as error:
            raise _fault(path, error) from error


def _fault(path: Path, error: OSError) -> CommandError:
    return CommandError(f"--secrets: {error.filename or path} cannot be written: {error.strerror}")
