"""The lab's audit log, written and followed."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.cluster.audit.parse import parse_line
from agents.cluster.audit.reader import AuditFile
from conntrail.lab.audit.event import apply_requests
from conntrail.lab.audit.writer import AuditLog
from conntrail.lab.rootless.reader import user_name
from tests.unit.conntrail.lab.builders import an_object

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def write(log: AuditLog, *names: str, user: str = "jane") -> None:
    log.write(apply_requests([], [an_object("NetworkPolicy", name, namespace="shop") for name in names]), user, NOW)


def told(file: AuditFile) -> list[str]:
    found = []
    while lines := file.read().lines:
        events = map(parse_line, lines)
        found += [event.objectRef.name for event in events if event.objectRef]
        file.confirm()
    return found


def test_it_is_there_and_empty_before_anything_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    AuditLog(path).begin()
    file = AuditFile(str(path), "")
    assert (told(file), file.fault) == ([], "")


def test_whoever_follows_it_misses_nothing_of_its_rotation(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log, file = AuditLog(path, maximum_bytes=1), AuditFile(str(path), str(tmp_path / "state"))
    log.begin()
    write(log, "a", "b")
    assert told(file) == ["a", "b"]
    write(log, "c")
    write(log, "d")
    assert told(file) == ["c", "d"]


def test_it_keeps_two_files_beside_the_current_one(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log", maximum_bytes=1)
    log.begin()
    for number in range(6):
        write(log, f"p-{number}")
    texts = [path.read_text() for path in sorted(tmp_path.iterdir())]
    assert len(texts) == 3
    assert "p-3" in "".join(texts)
    assert "p-2" not in "".join(texts)


def test_a_new_lab_begins_an_empty_one(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log", maximum_bytes=1)
    log.begin()
    write(log, "a")
    write(log, "b")
    log.begin()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b""]


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    write(AuditLog(path), "a", user=os.fsdecode(b"j\xffne\n"))
    [line] = path.read_bytes().splitlines()
    assert parse_line(line).user.username == "j?ne\n"


def test_who_became_root_by_sudo_keeps_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setenv("SUDO_USER", "jane")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert user_name() == "jane"
    monkeypatch.setenv("LOGNAME", "joe")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert user_name() == "joe"
