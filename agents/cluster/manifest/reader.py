"""Reads a directory of manifests, again whenever one of its files changes."""

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agents.cluster.manifest.parse import MAXIMUM_BYTES, ManifestError, Object, parse_manifest
from agents.errors import ReadError

_ENDINGS: Final = (".yaml", ".yml", ".json")
_RECENT_NS: Final = 5_000_000_000
_log = structlog.get_logger()
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Manifests:
    """What the directory says."""

    objects: list[Object]
    changed_at_ns: int
    """When it began to say so, Unix time in ns: the files' own time of change when that is recent."""


@dataclass(slots=True)
class _File:
    """What a file held when it was last whole."""

    stamp: _Stamp
    objects: list[Object]


class ManifestReader:
    """The objects of a directory, below any number of folders. Hidden files and folders are passed over."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._files: dict[Path, _File] = {}
        self._unsettled: dict[Path, _Stamp] = {}
        self._has_read = False
        self.broken = 0
        """Reads of files that were no manifests; their last whole content stays."""

    def read(self) -> Manifests | None:
        """All objects when something changed since the last call, else None. Raises ReadError without the directory.

        A file that has just changed is read when it is found unchanged by the next call: it may be half written.
        """
        stamps = self._stamps()
        changed = {path: stamp for path, stamp in stamps.items() if not self._is_known(path, stamp)}
        settled = {path for path, stamp in changed.items() if self._unsettled.get(path) == stamp or not self._has_read}
        self._unsettled = {path: stamp for path, stamp in changed.items() if path not in settled}
        gone = self._files.keys() - stamps.keys()
        is_first, self._has_read = not self._has_read, True
        if not settled and not gone and not is_first:
            return None
        for path in gone:
            del self._files[path]
        for path in sorted(settled):
            self._read_file(path, stamps[path])
        objects = [value for path in sorted(self._files) for value in self._files[path].objects]
        return Manifests(objects, _changed_at([stamps[path][0] for path in settled], bool(gone)))

    def _is_known(self, path: Path, stamp: _Stamp) -> bool:
        known = self._files.get(path)
        return known is not None and known.stamp == stamp

    def _stamps(self) -> dict[Path, _Stamp]:
        if not self._directory.is_dir():
            raise ReadError(f"{self._directory} is no directory: name one with --manifests")
        found: dict[Path, _Stamp] = {}
        for folder, folders, names in os.walk(self._directory):
            # A mounted ConfigMap keeps its versions in hidden folders and links to one of them.
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if not name.endswith(_ENDINGS) or name.startswith("."):
                    continue
                path = Path(folder) / name
                try:
                    status = path.stat()
                except OSError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def _read_file(self, path: Path, stamp: _Stamp) -> None:
        known = self._files.get(path)
        try:
            objects = parse_manifest(_content(path))
        except (ManifestError, OSError) as error:
            self.broken += 1
            line = error.line if isinstance(error, ManifestError) else 0
            _log.warning("manifest kept as it was", file=f"{path}:{line}" if line else str(path), reason=str(error))
            objects = known.objects if known else []
        self._files[path] = _File(stamp, objects)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAXIMUM_BYTES + 1)


def _changed_at(instants: list[int], has_gone: bool) -> int:
    now = time.time_ns()
    latest = max(instants, default=0)
    return latest if not has_gone and now - _RECENT_NS < latest <= now else now
