"""An audit log on a real disk, written, rotated and truncated while it is followed."""

import json
from pathlib import Path

import pytest

from agents.cluster.audit.parse import parse_line
from agents.cluster.audit.reader import AuditFile
from agents.errors import ReadError
from tests.unit.agents.cluster.audit.events import audit_event


class _Log:
    """One log with events of rising numbers."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "audit.log"
        self.state = directory / "state"
        self._number = 0

    def line(self) -> bytes:
        self._number += 1
        return json.dumps(audit_event(auditID=str(self._number))).encode() + b"\n"

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as handle:
            handle.write(data)

    def follower(self) -> AuditFile:
        return AuditFile(str(self.path), str(self.state))


@pytest.fixture
def log(tmp_path: Path) -> _Log:
    return _Log(tmp_path)


def _read(follower: AuditFile, *, is_kept: bool = True) -> list[int]:
    """Numbers of all events that are there."""
    numbers: list[int] = []
    while True:
        found = follower.read()
        numbers += [int(parse_line(line).auditID) for line in found.lines]
        if not is_kept or not found.used_bytes:
            return numbers
        follower.confirm()


def test_a_half_written_line_is_waited_for(log: _Log) -> None:
    follower, line = log.follower(), log.line()
    assert _read(follower) == []
    assert "audit.log" in follower.fault
    log.write(line[:100])
    assert _read(follower) == []
    assert follower.fault == ""
    log.write(line[100:])
    assert _read(follower) == [1]


def test_a_restart_gives_what_was_not_kept_and_nothing_else(log: _Log) -> None:
    log.write(log.line() + log.line())
    assert _read(log.follower()) == [1, 2]
    log.write(log.line())
    assert _read(log.follower(), is_kept=False) == [3]
    assert _read(log.follower()) == [3]
    assert _read(log.follower()) == []


@pytest.mark.parametrize("is_restarted", [True, False])
@pytest.mark.parametrize(
    "names",
    [("audit-2026-01-01T12-00-00.000.log", "audit-2026-01-02T12-00-00.000.log"), ("audit.log.2", "audit.log.1")],
)
def test_rotation_by_rename_loses_nothing(log: _Log, names: tuple[str, str], is_restarted: bool) -> None:
    follower = log.follower()
    log.write(log.line())
    assert _read(follower) == [1]
    log.write(log.line())
    log.path.rename(log.path.with_name(names[0]))
    log.write(log.line())
    log.path.rename(log.path.with_name(names[1]))
    log.write(log.line())
    assert _read(log.follower() if is_restarted else follower) == [2, 3, 4]


@pytest.mark.parametrize("is_restarted", [True, False])
def test_rotation_by_truncation_loses_nothing_that_was_copied(log: _Log, is_restarted: bool) -> None:
    follower = log.follower()
    log.write(log.line())
    assert _read(follower) == [1]
    log.write(log.line())
    log.path.with_name("audit.log.1").write_bytes(log.path.read_bytes())
    log.path.write_bytes(b"")
    log.write(log.line())
    assert _read(log.follower() if is_restarted else follower) == [2, 3]


def test_a_log_that_was_begun_anew_is_read_from_its_beginning_though_it_is_longer(log: _Log) -> None:
    follower = log.follower()
    log.write(log.line())
    assert _read(follower) == [1]
    log.path.write_bytes(log.line() + log.line())
    assert _read(follower) == [2, 3]


def test_large_logs_are_read_in_pieces_and_a_monstrous_line_costs_itself(log: _Log) -> None:
    for _ in range(5000):
        log.write(log.line())
    log.write(b"x" * (6 << 20) + b"\n")
    log.write(log.line())
    follower = log.follower()
    skipped, numbers = 0, []
    while (found := follower.read()).used_bytes:
        for line in found.lines:
            try:
                numbers.append(int(parse_line(line).auditID))
            except ValueError:
                skipped += 1
        skipped += found.skipped
        follower.confirm()
    assert numbers == list(range(1, 5002))
    assert skipped


def test_a_state_that_cannot_be_kept_is_said(log: _Log) -> None:
    log.write(log.line())
    follower = AuditFile(str(log.path), str(log.path.parent / "missing" / "state"))
    follower.read()
    with pytest.raises(ReadError, match="STATE_FILE"):
        follower.confirm()
