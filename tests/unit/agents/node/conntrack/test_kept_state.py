"""What a table keeps over a restart, and that damage to it is refused."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.conntrack.table import ConnectionTable
from agents.node.report.columns import REPORT
from tests.unit.agents.node.conntrack.kernel import SECOND, begun, entries, shown, summary


def test_what_was_heard_after_the_last_report_survives_a_restart() -> None:
    table = begun()
    table.apply_dump(shown(1), 2 * SECOND)
    table.take_report(2 * SECOND)
    table.apply_destroyed(entries(shown(1, size=300), shown(2)), 3 * SECOND)
    restarted = ConnectionTable(1, 10)
    restarted.import_state(table.export_state())
    assert sorted(summary(restarted.take_report(4 * SECOND))) == [(100, True, True), (200, False, True)]


def test_what_began_while_the_agent_was_away_counts_from_zero() -> None:
    restarted = ConnectionTable(1, 10)
    restarted.import_state(begun().export_state())
    restarted.apply_dump(shown(start=50 * SECOND), 90 * SECOND)
    assert summary(restarted.take_report(90 * SECOND)) == [(100, True, False)]


def state() -> bytes:
    table = begun()
    table.apply_dump(entries(shown(1), shown(2)), 2 * SECOND)
    return table.export_state()


@pytest.mark.parametrize(
    "bad", [b"x", b"PK\x03\x04" + bytes(40), b"\x93NUMPY\x01\x00v\x00{(", np.zeros(3, REPORT).tobytes()]
)
def test_a_kept_state_that_is_none_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="kept connections"):
        ConnectionTable(1, 2).import_state(bad)


@given(st.integers(0, len(state()) - 1), st.integers(1, 255))
def test_a_kept_state_with_a_flipped_byte_or_a_torn_end_is_refused(at: int, change: int) -> None:
    good = state()
    flipped = bytearray(good)
    flipped[at] ^= change
    for bad in (bytes(flipped), good[:at]):
        table = ConnectionTable(1, 2)
        if bad:
            with pytest.raises(ValueError, match="kept connections"):
                table.import_state(bad)
        assert len(table) == 0


def test_a_kept_state_of_another_release_is_refused() -> None:
    body = state()[:-4].replace(b'"layout": ', b'"layout":1')
    other = body + zlib.crc32(body).to_bytes(4, "little")
    with pytest.raises(ValueError, match="another release"):
        ConnectionTable(1, 2).import_state(other)


def test_no_state_is_a_first_start() -> None:
    table = ConnectionTable(1, 2)
    table.import_state(b"")
    table.apply_dump(shown(size=900, start=1), 9 * SECOND)
    assert summary(table.take_report(9 * SECOND)) == [(0, True, False)]
