import pytest

from streams.notice.selection import Selection, SelectionError, at_least, parse_selection
from tests.support.alerts import alert, resolved


@pytest.mark.parametrize(
    ("pairs", "holds"),
    [
        ([], True),
        ([("severity", "low,high")], True),
        ([("severity", "low")], False),
        ([("namespace", "data")], True),
        ([("namespace", "sh?p")], True),
        ([("namespace", "[s]hop")], False),
        ([("workload", "postgres")], True),
        ([("workload", "data/postgres")], True),
        ([("workload", "shop/postgres")], False),
        ([("rule", "communication-*"), ("rule", "dns-*")], True),
        ([("rule", "communication-*"), ("severity", "critical")], False),
        ([("status", "active")], True),
        ([("status", "resolved")], False),
    ],
)
def test_values_of_one_kind_are_alternatives_and_kinds_must_all_hold(pairs: list[tuple[str, str]], holds: bool) -> None:
    assert parse_selection(pairs).holds(alert()) is holds


def test_an_alert_that_is_over_is_not_active() -> None:
    assert not Selection(status=("active",)).holds(resolved())
    assert Selection(status=("resolved",)).holds(resolved())


@pytest.mark.parametrize(
    "pair",
    [
        ("colour", "red"),
        ("severity", "loud"),
        ("status", "new"),
        ("rule", "x" * 257),
        ("rule", ",".join(map(str, range(65)))),
    ],
)
def test_what_cannot_be_understood_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(SelectionError):
        parse_selection([pair])


def test_a_severity_asks_for_those_above() -> None:
    assert at_least("high") == ("high", "critical")
    with pytest.raises(SelectionError):
        at_least("loud")
