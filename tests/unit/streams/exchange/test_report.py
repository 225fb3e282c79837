import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.parts import SECOND, batch
from tests.unit.streams.exchange.builders import reports

_SPAN = st.tuples(st.integers(0, 30), st.integers(1, 6))


@settings(deadline=None)
@given(st.lists(_SPAN, max_size=12), st.integers(0, 40), st.integers(0, 10))
def test_a_node_reported_what_any_of_its_batches_did(spans: list[tuple[int, int]], first: int, length: int) -> None:
    known = reports(*(batch("node1", start=start, end=start + size) for start, size in spans))
    first_ns, last_ns = first * SECOND, (first + length) * SECOND
    wanted = any(start * SECOND <= last_ns and (start + size) * SECOND > first_ns for start, size in spans)
    assert known.touch("node1", np.array([first_ns]), np.array([last_ns])).tolist() == [wanted]
    assert known.touch("node2", np.array([first_ns]), np.array([last_ns])).tolist() == [False]


def test_intervals_that_meet_are_one_span_and_the_oldest_of_very_many_go() -> None:
    known = reports(*(batch("node1", start=start, end=start + 10) for start in range(0, 100, 10)))
    assert len(known._spans["node1"]) == 1
    scattered = reports(*(batch("node1", start=start, end=start + 1) for start in range(0, 4000, 2)))
    assert len(scattered._spans["node1"]) == 1024
    known.forget_before(100 * SECOND)
    assert known._spans == {}
