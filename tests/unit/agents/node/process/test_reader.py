"""The search for processes on a procfs of plain files: who is found, who is asked first, what is missed."""

from pathlib import Path

import pytest

from agents.node.process.entry import Process
from agents.node.process.reader import ProcessReader


def _add(procfs: Path, pid: int, name: str, *links: str) -> Path:
    directory = procfs / str(pid)
    (directory / "fd").mkdir(parents=True)
    (directory / "comm").write_text(f"{name}\n")
    (directory / "exe").symlink_to(f"/usr/bin/{name}")
    for number, link in enumerate(links):
        (directory / "fd" / str(number)).symlink_to(link)
    return directory


def test_processes_are_named_by_their_sockets(tmp_path: Path) -> None:
    _add(tmp_path, 10, "nginx", "/dev/null", "socket:[501]", "socket:[502]")
    _add(tmp_path, 20, "redis", "socket:[503]", "pipe:[501]", "socket:[x]")
    (tmp_path / "self").mkdir()
    found = ProcessReader(str(tmp_path)).look_up([501, 502, 503, 0])
    nginx = Process(10, "nginx", "/usr/bin/nginx")
    assert found == {501: nginx, 502: nginx, 503: Process(20, "redis", "/usr/bin/redis")}


def test_a_socket_of_several_processes_has_one_of_them(tmp_path: Path) -> None:
    for pid in (10, 11, 12):
        _add(tmp_path, pid, "worker", "socket:[501]")
    reader = ProcessReader(str(tmp_path))
    assert reader.look_up([501])[501].name == "worker"
    assert reader.missed == 0


def test_a_program_that_was_replaced_keeps_its_path(tmp_path: Path) -> None:
    directory = _add(tmp_path, 10, "nginx", "socket:[501]")
    (directory / "exe").unlink()
    (directory / "exe").symlink_to("/usr/sbin/nginx (deleted)")
    assert ProcessReader(str(tmp_path)).look_up([501])[501].executable == "/usr/sbin/nginx"


@pytest.mark.parametrize("missing", ["exe", "comm"])
def test_a_process_that_hides_a_part_is_named_by_the_rest_or_missed(tmp_path: Path, missing: str) -> None:
    directory = _add(tmp_path, 10, "nginx", "socket:[501]")
    (directory / missing).unlink()
    reader = ProcessReader(str(tmp_path))
    found = reader.look_up([501])
    assert found == ({501: Process(10, "nginx", "")} if missing == "exe" else {})
    assert reader.missed == (missing == "comm")


def test_a_process_found_before_that_has_gone_is_searched_for_anew(tmp_path: Path) -> None:
    directory = _add(tmp_path, 10, "nginx", "socket:[501]")
    reader = ProcessReader(str(tmp_path))
    assert reader.look_up([501])[501].pid == 10
    directory.rename(tmp_path / "30")
    assert reader.look_up([501])[501].pid == 30
    assert reader.look_up([502]) == {}
    assert reader.missed == 1
