import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.aggregate import Aggregate, parse_keys
from conntrail.observe.condition import FilterError
from tests.unit.conntrail.observe.documents import document
from tests.unit.conntrail.observe.view.documents import dns


def test_what_both_ends_have_is_counted_by_both() -> None:
    assert parse_keys(["workload,verdict", "to-pod", "verdict"]) == (
        "from-workload", "to-workload", "verdict", "to-pod",
    )  # fmt: skip
    with pytest.raises(FilterError, match="--aggregate-by 'colour': expected some of namespace, from-namespace"):
        parse_keys(["workload,colour"])


def test_documents_are_counted_by_what_they_have_in_common() -> None:
    sums = Aggregate(parse_keys(["workload", "verdict"]))
    for number, (action, size) in enumerate((("allowed", 100), ("denied", 0), ("allowed", 50))):
        sums.add(document(flow__id=f"connection-{number}", event__action=action, network__bytes=size))
    last = document()["@timestamp"]
    ends = {"from-workload": "shop/client", "to-workload": "shop/web"}
    assert sums.rows() == [
        {**ends, "verdict": "allowed", "count": 2, "bytes": 150, "last": last},
        {**ends, "verdict": "denied", "count": 1, "bytes": 0, "last": last},
    ]
    assert sums.beyond == 0


def test_exchanges_count_as_many_as_a_document_tells_of() -> None:
    sums = Aggregate(("type",))
    sums.add(dns())
    assert [(row["type"], row["count"]) for row in sums.rows()] == [("conntrail.dns", 3)]


def test_of_a_flow_that_is_told_again_only_what_it_says_last_counts() -> None:
    sums = Aggregate(("verdict",))
    for action, size in (("allowed", 100), ("denied", 0), ("denied", 7)):
        sums.add(document(event__action=action, network__bytes=size))
    assert [(row["verdict"], row["count"], row["bytes"]) for row in sums.rows()] == [("denied", 1, 7)]


def test_what_is_remembered_of_documents_is_bounded() -> None:
    sums = Aggregate(("verdict",), most_remembered=10)
    for number in range(1000):
        sums.add(document(flow__id=f"connection-{number}"))
    assert len(sums._added) == 10
    assert sums.rows()[0]["count"] == 1000


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.integers(1, 4))
def test_nothing_is_lost_when_there_are_too_many_groups(names: list[str], most: int) -> None:
    sums = Aggregate(("verdict",), most)
    for number, name in enumerate(names):
        sums.add(document(flow__id=f"connection-{number}", event__action=name))
    assert len(sums.rows()) <= most + 1
    assert sum(row["count"] for row in sums.rows()) == len(names)
    assert sums.beyond == sum(row["count"] for row in sums.rows() if row["verdict"] == "(others)")


@pytest.mark.parametrize("field", ["network__bytes", "conntrail__count", "event__action", "source__kubernetes"])
@pytest.mark.parametrize("value", [-1, 1.5, "many", [], {}, [[1]]])
def test_whatever_a_file_says_can_be_counted(field: str, value: object) -> None:
    sums = Aggregate(parse_keys(["workload,pod,node,verdict"]))
    sums.add(document(**{field: value}))
    assert [row["count"] for row in sums.rows()] == [1]
