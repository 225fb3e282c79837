from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topic import FLOWS
from streams.index.bulk import Action, Fate, item_outcome, take_request
from streams.index.document import Span
from streams.index.documents import document_of
from streams.index.settle import emissions
from tests.unit.streams.index.builders import flow


@given(st.lists(st.integers(1, 50)), st.integers(1, 100))
def test_requests_hold_every_action_once_in_order_and_within_the_limit(sizes: list[int], limit: int) -> None:
    actions = [Action(number, "index", b"x" * size) for number, size in enumerate(sizes)]
    pending, chunks = deque(actions), []
    while pending:
        chunks.append(take_request(pending, limit))
    assert [action for chunk in chunks for action in chunk] == actions
    assert all(sum(action.size_bytes for action in chunk) <= limit or len(chunk) == 1 for chunk in chunks)


@pytest.mark.parametrize(
    ("item", "fate"),
    [
        ({"index": {"status": 201}}, Fate.DONE),
        ({"delete": {"status": 404}}, Fate.DONE),
        ({"index": {"status": 409, "error": {"type": "version_conflict_engine_exception"}}}, Fate.KNOWN),
        ({"index": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}}, Fate.AGAIN),
        ({"index": {"status": 503, "error": {"type": "unavailable_shards_exception"}}}, Fate.AGAIN),
        ({"index": {"status": 403, "error": {"type": "cluster_block_exception"}}}, Fate.AGAIN),
        ({"index": {"status": 404, "error": {"type": "index_not_found_exception"}}}, Fate.AGAIN),
        ({"index": {"status": 403, "error": {"type": "security_exception"}}}, Fate.FORBIDDEN),
        ({"index": {"status": 400, "error": {"type": "document_parsing_exception"}}}, Fate.REFUSED),
    ],
)
def test_what_becomes_of_an_item(item: dict[str, Any], fate: Fate) -> None:
    assert item_outcome(item).fate is fate


def test_a_refusal_names_every_cause_and_is_bounded() -> None:
    error = {"type": "t", "reason": "outer", "caused_by": {"reason": "inner " + "x" * 5000}}
    reason = item_outcome({"index": {"status": 400, "error": error}}).reason
    assert reason.startswith("t: outer: inner")
    assert len(reason) <= 1000


def _span(revision: int, *, replaces: bool = False) -> Span:
    span = document_of(FLOWS, flow(revision=revision, replaces=replaces), "test").span
    assert span is not None
    return span


def test_one_emission_holds_its_highest_and_its_lowest_revision() -> None:
    (found,) = emissions([_span(2), None, _span(3), _span(3, replaces=True), _span(1)])
    assert (found.latest.revision, found.latest.replaces, found.lowest_revision) == (3, True, 1)
