from typing import Any

import pytest

from conntrail.demo.question import QUESTIONS, Question

BYTES, DENIED = QUESTIONS[0], QUESTIONS[1]
ASKED = next(question for question in QUESTIONS if question.index.startswith("logs-conntrail.dns"))


def bucket(of: Question, figure: float, **values: Any) -> dict[str, Any]:
    fields = {field: None for key in of.keys for field in key}
    key = {**fields, **{name.replace("__", "."): value for name, value in values.items()}}
    times = {f"time{number}": {"value": 1200.0} for number in range(len(of.times))}
    return {"key": key, "doc_count": int(figure), "figure": {"value": figure}, **times}


def rows(of: Question, *buckets: dict[str, Any]) -> list[list[str]]:
    return [list(row) for row in of.rows({"aggregations": {"rows": {"buckets": buckets}}})]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_a_question_has_a_heading_for_each_key_and_the_figure(question: Question) -> None:
    assert len(question.columns) == len(question.keys) + 1 + len(question.times)
    asked = {name for source in question.body()["aggregations"]["rows"]["composite"]["sources"] for name in source}
    assert asked == {field for key in question.keys for field in key}


def test_the_largest_come_first_with_what_is_known_of_each_end() -> None:
    pod = {"source__kubernetes__namespace": "shop", "source__kubernetes__workload__name": "web"}
    found = rows(
        BYTES,
        bucket(BYTES, 10, **pod, destination__ip="198.51.100.9", destination__port=443, network__transport="tcp"),
        bucket(BYTES, 2048, source__ip="2001:db8::1"),
    )
    assert found == [
        ["2001:db8::1", "", "", "", "2.0 KiB"],
        ["shop/web", "198.51.100.9", "443", "tcp", "10 B"],
    ]


def test_documents_are_counted_and_only_the_largest_are_shown() -> None:
    found = rows(DENIED, *(bucket(DENIED, count, policy__denied_by=f"p{count}") for count in range(30)))
    assert [row[-2:] for row in found] == [[f"p{count}", str(count)] for count in range(29, 17, -1)]


def test_hostile_names_are_escaped() -> None:
    ((*_, policy, _),) = rows(DENIED, bucket(DENIED, 1, policy__denied_by="\x1b]0;x\x07"))
    assert policy == "\\x1b]0;x\\x07"


def test_times_stand_beside_the_count() -> None:
    pod = {"source__kubernetes__namespace": "shop", "source__kubernetes__workload__name": "web"}
    named = {"dns__question__name": "api.example.org", "dns__question__type": "A", "dns__response_code": "NOERROR"}
    assert rows(ASKED, bucket(ASKED, 7, **pod, **named)) == [
        ["shop/web", "api.example.org", "A", "NOERROR", "7", "1.2 ms"]
    ]


def test_an_index_that_is_not_there_yet_has_no_rows() -> None:
    assert list(ASKED.rows({"hits": {"hits": []}})) == []
