"""A manifest: what the files of one entry of the chain are, and which entry comes before it.

``manifest.json`` is canonical JSON: ``{"entry": {...}, "sha256": "..."}``, the hash being that of the canonical text of
the entry. ``previous`` is the hash of the entry before, so that none can be changed or left out without all later ones.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from conntrail.policy.history.document import time_ms
from conntrail.report.chain.errors import ManifestError
from conntrail.report.evidence.canonical import canonical
from conntrail.report.evidence.report import stamp
from conntrail.report.fact.facts import Scope
from conntrail.report.render.part import File

NAME: Final = "manifest.json"
FORMAT: Final = 1
MAXIMUM_BYTES: Final = 64 << 20
"""A manifest has about 100 bytes for each 16 KiB of its files."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FILE_NAME: Final = re.compile(r"[a-z][a-z_]*\.(json|html|csv)")


@dataclass(frozen=True, slots=True)
class PartSum:
    """Some bytes of a file."""

    section: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FileSum:
    """A file as it was written."""

    name: str
    sha256: str
    parts: tuple[PartSum, ...]

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return sum(part.size_bytes for part in self.parts)


@dataclass(frozen=True, slots=True)
class Entry:
    """One report of one day."""

    scope: Scope
    day: date
    """UTC."""
    revision: int
    """0, or how often the day was amended before."""
    sequence: int | None
    """Place in the chain, from 0; None for a provisional report, which is no part of it."""
    previous: str
    """Hash of the entry before; empty for the first, and for a provisional one."""
    final_at_ms: int
    """Unix time; until then the day could change."""
    files: tuple[FileSum, ...]

    @property
    def directory(self) -> str:
        """Name of its directory."""
        return f"{self.day}.{self.revision}" if self.revision else f"{self.day}"

    @property
    def is_final(self) -> bool:
        """Whether it is part of the chain."""
        return self.sequence is not None

    @property
    def sha256(self) -> str:
        """What the next entry names, and what is written down elsewhere."""
        return digest(canonical(self.document()))

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "format": FORMAT,
            "scope": {"cluster": self.scope.cluster, "namespace": self.scope.namespace},
            "day": f"{self.day}",
            "revision": self.revision,
            "sequence": self.sequence,
            "previous": self.previous,
            "final_at": stamp(self.final_at_ms),
            "files": [
                {
                    "name": file.name,
                    "sha256": file.sha256,
                    "parts": [[part.section, part.size_bytes, part.sha256] for part in file.parts],
                }
                for file in self.files
            ],
        }


def digest(content: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


def file_sum(file: File) -> FileSum:
    """What a manifest says of a file."""
    parts = tuple(PartSum(part.section, len(part.content), digest(part.content)) for part in file.parts)
    return FileSum(file.name, digest(file.content), parts)


def manifest_text(entry: Entry) -> bytes:
    """The file's content."""
    return canonical({"entry": entry.document(), "sha256": entry.sha256})


def parse_manifest(content: bytes) -> Entry:
    """Raise ManifestError unless these are exactly the bytes that were written."""
    if len(content) > MAXIMUM_BYTES:
        raise ManifestError("is larger than any manifest")
    try:
        found = json.loads(content)
        told = found["entry"]
        if told["format"] != FORMAT:
            raise ManifestError(f"is of format {str(told['format'])[:20]!r}, which this release does not know")
        entry = _entry(told)
        is_written_so = content == manifest_text(entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestError("is not as it was written: it cannot be read") from error
    if not is_written_so:
        raise ManifestError("is not as it was written: its content does not fit its hash")
    return entry


def _entry(told: Mapping[str, Any]) -> Entry:
    entry = Entry(
        scope=Scope(_text(told["scope"]["cluster"]), _text(told["scope"]["namespace"])),
        day=date.fromisoformat(told["day"]),
        revision=_count(told["revision"]),
        sequence=None if told["sequence"] is None else _count(told["sequence"]),
        previous=_text(told["previous"]),
        final_at_ms=time_ms(_text(told["final_at"])),
        files=tuple(_file(file) for file in told["files"]),
    )
    if entry.previous and not _DIGEST.fullmatch(entry.previous):
        raise ValueError(entry.previous)
    return entry


def _file(told: Mapping[str, Any]) -> FileSum:
    name = _text(told["name"])
    if not _FILE_NAME.fullmatch(name) or name == NAME:
        raise ValueError(name)
    return FileSum(name, _text(told["sha256"]), tuple(_part(part) for part in told["parts"]))


def _part(told: Sequence[Any]) -> PartSum:
    section, size_bytes, sha256 = told
    return PartSum(_text(section), _count(size_bytes), _text(sha256))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value
