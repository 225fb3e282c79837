import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.errors import ReadError
from agents.node.state.snapshot import Snapshot, pack_snapshot, unpack_snapshot

SNAPSHOT = Snapshot("node-ä", "boot", 7, 10**18, 6, b"connections", b"sockets")


@given(st.binary(), st.binary(), st.integers(0, 2**63))
def test_a_state_is_read_as_it_was_written(connections: bytes, sockets: bytes, sequence: int) -> None:
    snapshot = Snapshot("node", "boot", sequence, 1, 0, connections, sockets)
    assert unpack_snapshot(pack_snapshot(snapshot)) == snapshot


@given(st.integers(0, len(pack_snapshot(SNAPSHOT)) - 1))
def test_a_torn_state_is_never_half_believed(length: int) -> None:
    with pytest.raises(ReadError):
        unpack_snapshot(pack_snapshot(SNAPSHOT)[:length])


@given(st.integers(0, len(pack_snapshot(SNAPSHOT)) - 1), st.integers(1, 255))
def test_a_damaged_state_is_refused(position: int, change: int) -> None:
    data = bytearray(pack_snapshot(SNAPSHOT))
    data[position] ^= change
    with pytest.raises(ReadError):
        unpack_snapshot(bytes(data))
