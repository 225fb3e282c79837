"""Reads Kubernetes objects and questions from files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from conntrail.errors import CommandError

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_objects(paths: list[Path]) -> Iterator[Mapping[str, object]]:
    """Yield every object of files and directories: several documents a file, and Lists, taken apart.

    Raise CommandError that names the file that cannot be read or holds something else.
    """
    for path in paths:
        for file in _files(path):
            for document in _documents(file):
                yield from _flatten(document, file)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    try:
        with path.open(encoding="utf-8") as file:
            yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {path}: {error}") from error


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    if not found:
        raise CommandError(f"{path} holds no .yaml, .yml or .json file")
    return found


def _documents(file: Path) -> list[object]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            return [json.loads(text)]
        return list(yaml.load_all(text, Loader=_LOADER))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CommandError(f"cannot read {file}: {reason}") from error


def _flatten(document: object, file: Path) -> Iterator[Mapping[str, object]]:
    if document is None:
        return
    if isinstance(document, list):
        for item in document:
            yield from _flatten(item, file)
        return
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise CommandError(f"{file}: expected Kubernetes objects with apiVersion and kind")
    if document["kind"].endswith("List") and isinstance(document.get("items"), list | None):
        yield from _flatten(document.get("items") or [], file)
        return
    yield document
