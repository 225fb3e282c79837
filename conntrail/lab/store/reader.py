"""Brings manifests in: a file, or all files of a directory, as kubectl would read them."""

from pathlib import Path
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.manifest.check import Checked, checked
from conntrail.lab.manifest.parse import MAXIMUM_BYTES, parse_manifest

_SUFFIXES: Final = (".yaml", ".yml", ".json")


def read_manifests(path: Path) -> Checked:
    """Raises CommandError, also when there are none."""
    if not path.exists():
        raise CommandError(f"{path}: there is no such file or directory")
    found = [item for file in _files(path) for item in parse_manifest(_read(file), _name(path, file))]
    if not found:
        raise CommandError(f"{path} holds no Kubernetes objects, in files that end in {', '.join(_SUFFIXES)}")
    manifests = checked(found)
    if not manifests.objects:
        raise CommandError(f"{path} holds no kind that the lab knows, only {', '.join(sorted(manifests.left_out))}")
    return manifests


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        return sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _name(path: Path, file: Path) -> str:
    return file.name if path.is_dir() else str(path)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
