"""Reads a directory of YAML manifests, again whenever one of its files changes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agents.cluster.manifest.parse import ManifestError, Object, parse_manifest
from agents.errors import ReadError

_ENDINGS: Final = (".yaml", ".yml", ".json")
_log = structlog.get_logger()
_Stamp = tuple[int, int, int]


@dataclass(slots=True)
class _File:
    """What a file held when it was last whole."""

    stamp: _Stamp
    objects: list[Object]


class ManifestReader:
    """The objects of a directory, below any number of folders."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._files: dict[Path, _File] = {}
        self.broken = 0
        """Reads of files that were no manifests; their last whole content stays."""

    def read(self) -> list[Object] | None:
        """All objects when something changed since the last call, else None. Raises ReadError without the directory."""
        stamps = self._stamps()
        changed = {path for path, stamp in stamps.items() if self._files.get(path, _NOTHING).stamp != stamp}
        gone = self._files.keys() - stamps.keys()
        for path in gone:
            del self._files[path]
        for path in sorted(changed):
            self._read_file(path, stamps[path])
        if not changed and not gone:
            return None
        return [value for path in sorted(self._files) for value in self._files[path].objects]

    def _stamps(self) -> dict[Path, _Stamp]:
        if not self._directory.is_dir():
            raise ReadError(f"{self._directory} is no directory: name one with --manifests")
        found: dict[Path, _Stamp] = {}
        for folder, _, names in os.walk(self._directory):
            for name in names:
                if not name.endswith(_ENDINGS) or name.startswith("."):
                    continue
                path = Path(folder) / name
                try:
                    status = path.stat()
                except OSError:
                    continue
                found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def _read_file(self, path: Path, stamp: _Stamp) -> None:
        try:
            objects = parse_manifest(path.read_bytes())
        except (ManifestError, OSError) as error:
            self.broken += 1
            _log.warning("manifest kept as it was", file=str(path), reason=str(error))
            objects = self._files[path].objects if path in self._files else []
        self._files[path] = _File(stamp, objects)


_NOTHING: Final = _File((0, 0, 0), [])
