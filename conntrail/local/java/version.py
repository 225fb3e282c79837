"""Which Java will do: what ``java -version`` prints, and where to look for one."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

MINIMUM = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def major_version(text: str) -> int | None:
    """17 of ``openjdk version "17.0.15"``, 8 of ``java version "1.8.0_292"``; None of anything else."""
    match = _VERSION.search(text)
    return int(match[1]) if match else None


def candidates(java_home: str, on_path: str | None, installed: list[str]) -> Iterator[str]:
    """Programs to try, in the order in which people expect them; each once."""
    places = [str(PurePosixPath(java_home) / "bin/java")] if java_home else []
    if on_path:
        places.append(on_path)
    yield from dict.fromkeys([*places, *sorted(installed, reverse=True)])
