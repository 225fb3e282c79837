"""The state directory on a real file system."""

from pathlib import Path

import pytest

from agents.errors import ReadError, WriteError
from agents.node.state.reader import resume
from agents.node.state.snapshot import Snapshot, pack_snapshot
from agents.publish.directory.reader import list_intervals, read_interval, read_state
from agents.publish.directory.writer import StateDirectory
from agents.publish.interval import Interval, Message


def snapshot(next_sequence: int, node: str = "node1") -> bytes:
    return pack_snapshot(Snapshot(node, "boot-a", next_sequence, 100, 6, b"connections", b""))


def interval(sequence: int) -> Interval:
    return Interval(sequence, 1, True, (Message(0, b"value"),))


def test_one_agent_a_directory(tmp_path: Path) -> None:
    first, second = StateDirectory(tmp_path / "state"), StateDirectory(tmp_path / "state")
    first.open()
    with pytest.raises(WriteError, match="another agent uses it"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_path_that_is_no_directory_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"state directory .*file"):
        StateDirectory(tmp_path / "file").open()


def test_what_is_written_is_read_and_what_is_removed_is_gone(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.open()
    assert read_state(tmp_path) is None
    for sequence in (11, 9):
        directory.write_interval(interval(sequence))
    directory.write_state(b"one")
    directory.write_state(b"two")
    assert read_state(tmp_path) == b"two"
    assert [sequence for sequence, _ in list_intervals(tmp_path)] == [9, 11]
    assert read_interval(tmp_path, 11) == interval(11)
    directory.remove_interval(9)
    directory.remove_interval(9)
    assert [sequence for sequence, _ in list_intervals(tmp_path)] == [11]
    with pytest.raises(ReadError):
        read_interval(tmp_path, 9)
    directory.close()


def test_a_first_life_begins_with_a_new_boot() -> None:
    assert resume("node1", None).boot != resume("node1", None).boot
    assert resume("node1", None).next_sequence == 0


def test_the_next_life_goes_on_where_the_last_one_was_durable(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.open()
    for sequence in (5, 6, 7):
        directory.write_interval(interval(sequence))
    directory.write_state(snapshot(7))  # killed between the interval 7 and the state that would know of it
    resumed = resume("node1", tmp_path)
    assert (resumed.boot, resumed.next_sequence) == ("boot-a", 7)
    assert [sequence for sequence, _ in resumed.unsent] == [5, 6]
    assert resumed.uncommitted == (7,)
    directory.close()


def test_a_damaged_state_begins_anew_and_still_sends_what_is_left(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.open()
    directory.write_interval(interval(6))
    directory.write_state(snapshot(7)[:-3])
    resumed = resume("node1", tmp_path)
    assert resumed.boot != "boot-a"
    assert resumed.next_sequence == 7
    assert [sequence for sequence, _ in resumed.unsent] == [6]
    directory.close()


def test_another_nodes_state_is_refused(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.open()
    directory.write_state(snapshot(7))
    with pytest.raises(ReadError, match="belongs to node node1, not node2"):
        resume("node2", tmp_path)
    directory.close()
