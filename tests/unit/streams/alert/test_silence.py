"""What a silence holds back, and until when."""

from typing import Any

import pytest

from tests.unit.streams.alert.builders import (
    MINUTE,
    SETTLED,
)
from tests.unit.streams.alert.scenes import AT, cut, settled


def silence(*, ends: int, **matchers: str) -> dict[str, Any]:
    return {
        "id": "s1", "cluster": "default", "matchers": {name.replace("_", "."): text for name, text in matchers.items()},
        "comment": "", "by": "me", "created_at_ns": SETTLED, "ends_at_ns": ends,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("matchers", "is_held"),
    [
        ({"rule": "communication-*"}, True),
        ({"severity": "high", "namespace": "data"}, True),
        ({"workload": "shop/front*"}, True),
        ({"workload": "frontend"}, True),
        ({"workload": "front"}, False),
        ({"namespace": "shop"}, True),
        ({"source_workload": "shop/frontend"}, True),
        ({"rule": "communication-*", "namespace": "other"}, False),
        ({"domain": "*"}, False),
        ({}, False),
    ],
)
def test_a_silence_holds_back_what_all_of_its_matchers_name(matchers: dict[str, str], is_held: bool) -> None:
    made = settled()
    ends = AT + 10 * MINUTE
    made.records += made.engine.silence(silence(ends=ends, **matchers))
    cut(made)
    assert made.records[0]["silenced_until_ns"] == (ends if is_held else None)


def test_a_silence_comes_and_ends_while_an_alert_is_open() -> None:
    made = settled()
    cut(made)
    ends = AT + 2 * MINUTE
    (held,) = made.engine.silence(silence(ends=ends, rule="communication-break"))
    assert (held["status"], held["silenced_until_ns"]) == ("updated", ends)
    (back,) = [record for record in made.advance(ends) if record["rule"] == "communication-break"]
    assert (back["status"], back["silenced_until_ns"]) == ("updated", None)


def test_a_silence_is_ended_by_one_of_its_id_that_has_ended() -> None:
    made = settled()
    cut(made)
    made.engine.silence(silence(ends=AT + 10 * MINUTE, rule="communication-break"))
    (back,) = made.engine.silence(silence(ends=AT, rule="communication-break"))
    assert back["silenced_until_ns"] is None
