"""Reads what the servers printed."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

_POLL_SECONDS = 0.3
_TAIL_BYTES = 1 << 20


def tail(path: Path, lines: int) -> list[str]:
    """The last lines, at most of the last MiB; none of a file that is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return list(deque(text.splitlines(), lines))


def follow(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Lines as they are printed, for ever."""
    positions = {path: path.stat().st_size if path.exists() else 0 for path in paths}
    while True:
        for path in paths:
            if not path.exists():
                continue
            with path.open("rb") as file:
                if path.stat().st_size < positions[path]:
                    positions[path] = 0  # a wiped stack began a new one
                file.seek(positions[path])
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    positions[path] += len(line)
                    yield path, line.decode("utf-8", "replace").rstrip("\n")
        time.sleep(_POLL_SECONDS)
