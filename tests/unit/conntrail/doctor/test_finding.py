import pytest

from conntrail.doctor.clock import Sighting, difference, judge_clock, parse_date
from conntrail.doctor.finding import Check, is_missing

_CHECK = Check("kafka", "topics", "records", "run conntrail setup")
_DATE = "Sun, 29 Nov 2026 02:00:10 GMT"
_AT = 1795917610.0
"""The beginning of that second."""


def test_what_is_there_is_told_without_loss_or_advice() -> None:
    assert _CHECK.ok("23 of 23").document() == {"area": "kafka", "check": "topics", "state": "ok", "found": "23 of 23"}
    assert "lost" not in _CHECK.skipped("not asked").document()


def test_what_is_not_there_says_what_is_lost_and_what_to_do() -> None:
    assert _CHECK.missing("none").row() == (
        "kafka",
        "topics",
        "missing",
        "none\nlost: records\ndo: run conntrail setup",
    )
    assert _CHECK.degraded("some", "make them").document()["remedy"] == "make them"


def test_only_what_is_missing_fails() -> None:
    assert not is_missing([_CHECK.ok(""), _CHECK.degraded(""), _CHECK.skipped("")])
    assert is_missing([_CHECK.ok(""), _CHECK.missing("")])


def _seen(asked_at: float, read_at: float) -> Sighting:
    sighting = parse_date(_DATE, asked_at, read_at)
    assert sighting is not None
    return sighting


def test_clocks_that_may_be_the_same_are_not_apart() -> None:
    assert difference(_seen(_AT, _AT + 0.1)) == 0
    assert difference(_seen(_AT + 0.9, _AT + 3)) == 0


def test_a_clock_is_apart_by_what_it_is_at_least() -> None:
    assert difference(_seen(_AT - 10, _AT - 9)) == 9
    assert difference(_seen(_AT + 11, _AT + 12)) == -10
    assert difference(Sighting(_AT, 0.001, _AT + 11, _AT + 12)) == pytest.approx(-10.999)


def test_a_clock_that_is_apart_is_told_with_whose_it_is() -> None:
    assert judge_clock(_CHECK, _seen(_AT - 2, _AT - 1.5), "Kafka").state == "ok"
    behind = judge_clock(_CHECK, _seen(_AT + 61, _AT + 62), "Elasticsearch")
    assert (behind.state, behind.found) == ("degraded", "Elasticsearch's clock is 60 s behind ours")
    assert "ahead of" in judge_clock(_CHECK, _seen(_AT - 61, _AT - 60), "Elasticsearch").found


def test_no_time_and_none_that_can_be_read_are_no_findings() -> None:
    assert parse_date("yesterday", _AT, _AT) is None
    assert judge_clock(_CHECK, None, "Kafka").state == "skipped"
