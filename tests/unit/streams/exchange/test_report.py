import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.parts import SECOND, batch
from tests.unit.streams.exchange.builders import reports

_SPAN = st.tuples(st.integers(0, 30), st.integers(1, 6))


@given(st.lists(_SPAN, max_size=12), st.integers(0, 40), st.integers(0, 10))
def test_a_node_reported_what_any_of_its_batches_did(spans: list[tuple[int, int]], first: int, length: int) -> None:
    known = reports(*(batch("node1", start=start, end=start + size) for start, size in spans))
    first_ns, last_ns = first * SECOND, (first + length) * SECOND
    wanted = any(start * SECOND <= last_ns and (start + size) * SECOND > first_ns for start, size in spans)
    assert known.touch("node1", np.array([first_ns]), np.array([last_ns])).tolist() == [wanted]
    assert known.touch("node2", np.array([first_ns]), np.array([last_ns])).tolist() == [False]


def test_what_an_agent_slept_through_it_has_read_afterwards_unless_it_was_not_there() -> None:
    """Of a stall the last interval is reported, with what the kernel kept meanwhile; a new life was told nothing."""
    for sequence, seen in ((7, [False, True, True]), (0, [False, False, True])):
        known = reports(batch("node1", sequence, 30, 40, coverage="lossy", lost={"intervals_missed": 3}))
        times = np.array([-1, 5, 35]) * SECOND
        assert known.touch("node1", times, times).tolist() == seen


def test_intervals_that_meet_are_one_span_and_the_oldest_of_very_many_go() -> None:
    known = reports(*(batch("node1", start=start, end=start + 10) for start in range(0, 100, 10)))
    assert len(known._spans["node1"]) == 1
    scattered = reports(*(batch("node1", start=start, end=start + 1) for start in range(0, 4000, 2)))
    assert len(scattered._spans["node1"]) == 1024
    known.forget_before(100 * SECOND)
    assert known._spans == {}
