from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.metadata.timeline import NONE, Timeline

EDGES = st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted)


@given(
    st.dictionaries(st.integers(0, 4), EDGES, max_size=4), st.lists(st.tuples(st.integers(-1, 6), st.integers(-5, 70)))
)
def test_columns_find_what_a_search_of_all_intervals_finds(
    edges: dict[int, list[int]], asked: list[tuple[int, int]]
) -> None:
    pieces = [(key, start, end) for key, times in edges.items() for start, end in list(pairwise(times))[::2]]
    columns = np.array(pieces[::-1], dtype=np.int64).reshape(-1, 3)
    timeline = Timeline(columns[:, 0], columns[:, 1], columns[:, 2], np.arange(len(pieces), dtype=np.int64)[::-1])
    questions = np.array(asked, dtype=np.int64).reshape(-1, 2)
    found = timeline.find(questions[:, 0], questions[:, 1], 3)
    assert found.tolist() == [_naive(pieces, key, at) for key, at in asked]


def _naive(pieces: list[tuple[int, int, int]], key: int, at: int) -> int:
    mine = [(start, end, number) for number, (other, start, end) in enumerate(pieces) if other == key]
    holding = [number for start, end, number in mine if start <= at < end]
    soon = [number for start, end, number in sorted(mine) if at < start <= at + 3]
    return (holding or soon or [NONE])[0]
