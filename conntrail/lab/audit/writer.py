"""The lab's audit log: a line an event, rotated by rename as an API server does (--audit-log-maxsize, -maxbackup)."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from conntrail.lab.audit.event import Asked, Request, audit_event

_MAXIMUM_BYTES: Final = 10 << 20
_KEPT: Final = 2
"""Files beside the current one."""


class AuditLog:
    """One log file and what it was rotated to. One process at a time writes: whoever changes the lab now."""

    def __init__(self, path: Path, maximum_bytes: int = _MAXIMUM_BYTES) -> None:
        """``maximum_bytes``: when a file is larger, the next events begin another one; none is divided for it."""
        self._path = path
        self._maximum_bytes = maximum_bytes

    def begin(self) -> None:
        """Empty, for a new lab."""
        for older in self._older():
            older.unlink(missing_ok=True)
        self._path.write_bytes(b"")

    def write(self, requests: Iterable[Request], user: str, received_at: datetime) -> None:
        """What was asked at ``received_at`` (UTC) and is answered now."""
        asked = Asked(user.encode(errors="replace").decode(), received_at, datetime.now(UTC))
        events = [audit_event(request, asked, str(uuid.uuid4())) for request in requests]
        self._rotate(asked.answered_at)
        with self._path.open("ab") as log:
            log.write(b"".join(msgspec.json.encode(event) + b"\n" for event in events))

    def _rotate(self, now: datetime) -> None:
        if not self._path.exists() or self._path.stat().st_size <= self._maximum_bytes:
            return
        self._path.rename(self._path.with_stem(f"{self._path.stem}-{now.strftime('%Y-%m-%dT%H-%M-%S.%f')}"))
        for oldest in self._older()[:-_KEPT]:
            oldest.unlink(missing_ok=True)

    def _older(self) -> list[Path]:
        return sorted(self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"))
