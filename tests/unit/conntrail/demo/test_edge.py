"""Edges before and after: the last outcome counts, and one that was not tried again says nothing."""

from typing import Any

from conntrail.demo.edge import Comparison, compare


def _fact(port: int, outcome: str, at: int = 0) -> dict[str, Any]:
    client = {"namespace": "shop", "workload": "frontend"}
    dialled = {"dialled_address": "10.96.0.12", "dialled_port": port, "protocol": "tcp"}
    return {"client": client, **dialled, "outcome": outcome, "started_at_ns": at}


def test_an_edge_that_was_answered_last_and_is_not_now_is_named() -> None:
    before = [_fact(80, "answered"), _fact(81, "answered"), _fact(82, "timeout")]
    after = [_fact(80, "answered"), _fact(81, "refused"), _fact(82, "timeout")]
    assert compare(before, after) == Comparison(2, 1, ("shop/frontend to 10.96.0.12 tcp 81",))


def test_what_was_denied_at_the_end_of_the_first_time_is_no_loss() -> None:
    before = [_fact(80, "timeout", at=2), _fact(80, "answered", at=1)]
    assert compare(before, [_fact(80, "timeout", at=3)]) == Comparison(0, 0, ())


def test_an_edge_that_was_not_tried_again_is_left_out() -> None:
    assert compare([_fact(80, "answered")], []) == Comparison(0, 0, ())
