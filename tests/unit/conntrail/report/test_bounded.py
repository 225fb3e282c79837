"""What a bounded map keeps is a matter of the keys, not of who came first."""

from collections import Counter
from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from conntrail.report.fact.bounded import Bounded, smallest


@dataclass(slots=True)
class Count:
    value: int

    def merge(self, other: "Count", /) -> None:
        self.value += other.value


def filled(tellings: list[tuple[int, int]], limit: int) -> Bounded[int, Count]:
    found: Bounded[int, Count] = Bounded(limit)
    for key, value in tellings:
        found.add(key, Count(value))
    return found


def told(found: Bounded[int, Count]) -> tuple[list[tuple[int, int]], int]:
    rest = found.rest()
    return [(key, count.value) for key, count in found.items()], rest.value if rest is not None else 0


_TELLINGS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=80)


@given(_TELLINGS, st.integers(1, 8))
def test_the_smallest_keys_are_kept_with_all_that_was_told_of_them(tellings: list[tuple[int, int]], limit: int) -> None:
    sums = Counter[int]()
    for key, value in tellings:
        sums[key] += value
    kept, rest = told(filled(tellings, limit))
    assert kept == sorted(sums.items())[:limit]
    assert rest == sum(sums.values()) - sum(value for _, value in kept)


@given(_TELLINGS, st.randoms(use_true_random=False), st.integers(1, 8), st.integers(0, 80))
def test_order_and_portions_change_nothing(
    tellings: list[tuple[int, int]], random: Random, limit: int, cut: int
) -> None:
    shuffled = list(tellings)
    random.shuffle(shuffled)
    merged = filled(shuffled[:cut], limit)
    merged.merge(filled(shuffled[cut:], limit))
    assert told(merged) == told(filled(tellings, limit))


@given(st.lists(st.frozensets(st.text(max_size=2), max_size=4), max_size=8), st.randoms(use_true_random=False))
def test_sets_are_cut_to_the_same_names_in_any_order(sets: list[frozenset[str]], random: Random) -> None:
    def union(found: list[frozenset[str]]) -> frozenset[str]:
        both = frozenset[str]()
        for one in found:
            both = smallest(both, one, 3)
        return both

    expected = frozenset(sorted(frozenset().union(*sets))[:3])
    random.shuffle(sets)
    assert union(sets) == expected
