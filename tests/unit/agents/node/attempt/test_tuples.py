"""A direction in the usual arrangement is what a walk through its attributes finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.attempt.tuples import _PLAIN, Direction, _parse_direction, _walk_direction
from tests.unit.agents.node.attempt.packets import TCP, direction

_HEAD_BYTES = 4
PLAIN = direction(1, "10.0.0.1", "10.96.0.10", 40000, 53)[_HEAD_BYTES:]


def outcome(read: object, data: bytes) -> Direction | str | None:
    assert callable(read)
    try:
        found: Direction | None = read(data)
    except ValueError as error:
        return str(error)
    return found


def nested(data: bytes) -> bytes:
    """As newer kernels flag attributes that hold others."""
    flagged = bytearray(data)
    for at in (2, 22):
        flagged[at : at + 2] = (int.from_bytes(data[at : at + 2], "little") | 0x8000).to_bytes(2, "little")
    return bytes(flagged)


@pytest.mark.parametrize("data", [PLAIN, nested(PLAIN)], ids=["older", "newer"])
def test_the_usual_arrangement_is_read(data: bytes) -> None:
    assert len(data) == _PLAIN.size
    found = _parse_direction(data)
    assert found == Direction(TCP, (0, 0xFFFF0A000001), (0, 0xFFFF0A60000A), 40000, 53, 0, 0, 0)
    assert found == _walk_direction(data)


@given(
    st.sampled_from([PLAIN, nested(PLAIN), direction(1, "fd00::1", "fd00::2", 1, 2)[_HEAD_BYTES:]]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
)
def test_any_direction_is_what_a_walk_finds(data: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(data)
    for at, value in changes:
        changed[at % len(changed)] = value
    assert outcome(_parse_direction, bytes(changed)) == outcome(_walk_direction, bytes(changed))
