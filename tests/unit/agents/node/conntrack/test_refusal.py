"""A refused connection is one whose only answer was a reset, whatever state the kernel shows."""

import numpy as np
import pytest

from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.refusal import Refusals
from agents.node.report.columns import END_REASONS, EVIDENCES, TCP_STATES

_NOW = 1_800_000_000 * 10**9
_SECOND = 10**9
_SEEN_REPLY = 1 << 1


def _ended(port: int = 80, **facts: int) -> Entries:
    """A connection that was refused, unless told otherwise."""
    entry = np.zeros(1, ENTRY)
    values = {
        "family": 2, "protocol": 6, "original_destination_port": port, "reply_source_port": port, "has_counters": 1,
        "original_packets": 1, "reply_packets": 1, "started_at_ns": _NOW - 5, "stopped_at_ns": _NOW - 1, **facts,
    }  # fmt: skip
    for name, value in values.items():
        entry[name] = value
    return entry


@pytest.mark.parametrize("state", ["none", "syn_sent", "close"])
def test_a_refused_connection_is_told_once(state: str) -> None:
    refusals = Refusals(seed=7)
    refusals.note(_ended(tcp_state=TCP_STATES.index(state)), _NOW)
    assert len(refusals) == 1
    due_ns = refusals.next_ns()
    assert due_ns is not None
    assert len(refusals.take(due_ns - 1)) == 0
    [row] = refusals.take(due_ns)
    assert (EVIDENCES[row["evidence"]], END_REASONS[row["end_reason"]]) == ("confirmed", "reset")
    assert (row["attempts"], row["original_destination_port"]) == (1, 80)
    assert (row["started_at_ns"], row["seen_at_ns"]) == (_NOW - 1, _NOW - 1)
    assert len(refusals) == len(refusals.take(due_ns)) == 0
    assert refusals.next_ns() is None


@pytest.mark.parametrize(
    "facts",
    [
        {"status": _SEEN_REPLY, "reply_packets": 5},
        {"status": _SEEN_REPLY, "tcp_state": TCP_STATES.index("close")},
        {"reply_packets": 0},
        {"reply_packets": 0, "timeout": 30},
        {"protocol": 17},
    ],
    ids=["closed", "reset later", "unanswered", "removed", "no TCP"],
)
def test_nothing_else_was_refused(facts: dict[str, int]) -> None:
    refusals = Refusals(seed=7)
    refusals.note(_ended(**facts), _NOW)
    assert len(refusals) == 0


def test_kernels_without_timestamps_tell_when_it_was_heard() -> None:
    refusals = Refusals(seed=7)
    refusals.note(_ended(started_at_ns=0, stopped_at_ns=0), _NOW)
    [row] = refusals.take(_NOW + _SECOND)
    assert (row["started_at_ns"], row["seen_at_ns"]) == (_NOW, _NOW)


def test_refusals_of_one_tenth_of_a_second_are_told_together() -> None:
    refusals = Refusals(seed=7)
    for millisecond in (0, 99, 100):
        refusals.note(_ended(stopped_at_ns=_NOW + millisecond * _SECOND // 1000), _NOW)
    due_ns = refusals.next_ns()
    assert due_ns is not None
    assert (len(refusals.take(due_ns)), len(refusals)) == (2, 1)


def test_more_than_there_is_room_for_is_counted() -> None:
    refusals = Refusals(seed=7)
    for _ in range(3):
        refusals.note(np.repeat(_ended(), 4_000), _NOW)
    assert (len(refusals), refusals.overflowed) == (10_000, 2_000)
    refusals.note(_ended(), _NOW)
    assert (len(refusals), refusals.overflowed) == (10_000, 2_001)
    assert refusals.next_ns() is not None


def test_what_comes_after_all_was_told_has_its_time() -> None:
    refusals = Refusals(seed=7)
    for turn in range(3):
        refusals.note(_ended(stopped_at_ns=_NOW + turn * _SECOND), _NOW)
        due_ns = refusals.next_ns()
        assert due_ns is not None
        assert len(refusals.take(due_ns)) == 1
