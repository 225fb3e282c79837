import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.errors import ReadError
from agents.publish.frame import pack, pack_interval, unpack, unpack_interval
from agents.publish.interval import Interval, Message

_MESSAGES = st.lists(st.builds(Message, st.integers(0, 100), st.binary(max_size=50)), max_size=5).map(tuple)
_INTERVALS = st.builds(Interval, st.integers(0, 2**62), st.integers(1, 100), st.booleans(), _MESSAGES)


@given(_INTERVALS)
def test_an_interval_is_read_as_it_was_written(interval: Interval) -> None:
    assert unpack_interval(pack_interval(interval)) == interval


@given(_INTERVALS, st.data())
def test_a_torn_file_is_told_from_a_whole_one(interval: Interval, data: st.DataObject) -> None:
    whole = pack_interval(interval)
    with pytest.raises(ReadError):
        unpack_interval(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=300))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(ReadError):
        unpack(b"ABCD", data)


def test_a_file_of_another_release_is_refused() -> None:
    with pytest.raises(ReadError, match="release"):
        unpack(b"ABCD", pack(b"ABCE", {}, []))


def test_a_whole_file_that_holds_no_interval_is_refused() -> None:
    with pytest.raises(ReadError, match="no interval"):
        unpack_interval(pack(b"CTI1", {"sequence": 1}, []))
