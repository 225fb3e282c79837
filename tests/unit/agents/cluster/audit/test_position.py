"""Where a log is read on, whatever happened to its files."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.audit.position import (
    Found,
    Position,
    head_of,
    parse_position,
    position_text,
    split,
    to_read,
)

_FILES = {"audit.log": b"new" * 200, "audit.log.1": b"old" * 200, "audit.log.2": b"older" * 200}


def _read(files: dict[str, bytes]) -> Callable[[str], bytes]:
    return lambda name: files[name][:256]


def _found(name: str, inode: int, changed: int) -> Found:
    return Found(name, 1, inode, len(_FILES[name]), changed)


_ALL = [_found("audit.log", 30, 9), _found("audit.log.1", 20, 5), _found("audit.log.2", 10, 2)]


def _at(name: str, inode: int, offset: int) -> Position:
    return Position(1, inode, offset, head_of(_FILES[name], offset))


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (None, [("audit.log", 0)]),
        (_at("audit.log", 30, 9), [("audit.log", 9)]),
        (_at("audit.log", 30, 600), [("audit.log", 600)]),
        (_at("audit.log.1", 20, 300), [("audit.log.1", 300), ("audit.log", 0)]),
        (_at("audit.log.2", 10, 1000), [("audit.log.2", 1000), ("audit.log.1", 0), ("audit.log", 0)]),
        # Gone.
        (Position(1, 99, 10, "x"), [("audit.log", 0)]),
        # Its inode was given out again.
        (Position(1, 30, 300, head_of(b"other" * 99, 300)), [("audit.log", 0)]),
        # Truncated after it was copied: what was not read of it stands in the copy.
        (_at("audit.log.1", 30, 300), [("audit.log.1", 300), ("audit.log", 0)]),
    ],
)
def test_reading_goes_on_where_it_was(position: Position | None, expected: list[tuple[str, int]]) -> None:
    assert [(file.name, offset) for file, offset in to_read(position, "audit.log", _ALL, _read(_FILES))] == expected


@given(st.lists(st.binary(max_size=5).filter(lambda line: b"\n" not in line)), st.integers(0, 60))
def test_half_written_lines_are_waited_for_and_none_is_lost(lines: list[bytes], cut: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    first = split(data[:cut], is_whole=False)
    rest = split(data[first.used_bytes :], is_whole=False)
    assert [*first.lines, *rest.lines] == [line for line in lines if line.strip()]
    assert first.used_bytes + rest.used_bytes == len(data)


def test_a_last_line_without_end_counts_when_nothing_will_follow() -> None:
    assert split(b"a\nb", is_whole=False).lines == [b"a"]
    assert split(b"a\nb", is_whole=True).lines == [b"a", b"b"]


def test_a_line_without_end_is_skipped_and_counted() -> None:
    endless = split(b"x" * (5 << 20), is_whole=False)
    assert (endless.lines, endless.used_bytes, endless.skipped) == ([], 5 << 20, 1)
    long = split(b"x" * (5 << 20) + b"\na\n", is_whole=False)
    assert (long.lines, long.skipped) == ([b"a"], 1)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"device":-1,"inode":1,"offset":1,"head":""}', "[" * 9999])
def test_a_broken_state_is_no_position(text: str) -> None:
    assert parse_position(text) is None


def test_a_position_is_kept_as_it_is() -> None:
    position = _at("audit.log", 30, 9)
    assert parse_position(position_text(position)) == position
