"""Which flows are notable, and for how long a pair is new."""

from typing import Any

import pytest

from streams.index.notable.book import EdgeBook, Meeting, edge_of
from streams.index.notable.level import Level
from streams.index.notable.note import meeting_of, note
from streams.index.traffic import flow as flow_document
from streams.index.traffic import window as window_document
from tests.unit.streams.index.builders import AT_NS, flow, window

SECOND = 1_000_000_000
WINDOW_NS = 60 * SECOND
DAY_NS = 86_400 * SECOND
KEPT_NS = 30 * DAY_NS
MINUTE_NS = AT_NS - AT_NS % WINDOW_NS


def book(limit: int = 100) -> EdgeBook:
    return EdgeBook(limit, WINDOW_NS, KEPT_NS)


def chosen(level: Level, record: dict[str, Any]) -> dict[str, Any] | None:
    """The document's own fields of ours, or None when the flow is left out."""
    document = level.flow(record, flow_document(record, "default"))
    return None if document.body is None else document.body["conntrail"]


def to(port: int, **changes: Any) -> dict[str, Any]:
    record = flow(timestamp_ns=changes.pop("timestamp_ns", AT_NS))
    record["destination"]["port"] = port
    for path, value in changes.items():
        group, _, name = path.partition("__")
        record[group][name] = value
    return record


def test_a_flow_of_a_pair_that_met_before_is_left_out_and_counted_and_its_span_stays() -> None:
    level = Level(book())
    assert chosen(level, to(80)) is not None
    later = to(80, timestamp_ns=AT_NS + WINDOW_NS)
    document = level.flow(later, flow_document(later, "default"))
    assert document.body is None
    assert document.span == flow_document(later, "default").span
    assert (level.take_left_out(), level.take_left_out()) == (1, 0)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"event__action": "denied"}, ["denied"]),
        ({"event__action": "failed"}, ["failed"]),
        ({"policy__drift": True}, ["drift"]),
        ({"network__direction": "outbound"}, ["outside"]),
        ({"network__direction": "inbound", "event__action": "denied"}, ["denied", "outside"]),
    ],
)
def test_what_is_denied_failed_against_policies_or_outside_is_always_there(
    changes: dict[str, Any], reasons: list[str]
) -> None:
    level = Level(book())
    chosen(level, to(80))
    marks = chosen(level, to(80, timestamp_ns=AT_NS + WINDOW_NS, **changes))
    assert marks is not None
    assert (marks["level"], marks["notable"]) == ("notable", reasons)


def test_an_attempt_that_was_denied_is_no_meeting() -> None:
    level = Level(book())
    chosen(level, to(80, event__action="denied"))
    marks = chosen(level, to(80, timestamp_ns=AT_NS + WINDOW_NS))
    assert marks is not None
    assert marks["notable"] == ["new_edge"]


def test_a_pair_is_new_for_its_first_window_also_when_that_is_told_again() -> None:
    one = book()
    assert one.is_new("a", MINUTE_NS + 10 * SECOND)
    assert one.is_new("a", MINUTE_NS + WINDOW_NS)
    assert not one.is_new("a", MINUTE_NS + WINDOW_NS + 10 * SECOND)
    assert one.is_new("a", MINUTE_NS + 20 * SECOND)


def test_what_is_told_late_of_an_earlier_window_is_new_and_noted() -> None:
    one = book()
    one.is_new("a", MINUTE_NS + WINDOW_NS)
    one.take_fresh()
    assert one.is_new("a", MINUTE_NS)
    assert one.take_fresh() == [Meeting("a", MINUTE_NS, MINUTE_NS + WINDOW_NS)]


def test_a_restart_changes_nothing_that_is_chosen() -> None:
    before, after = book(), book()
    before.is_new("a", MINUTE_NS + 10 * SECOND)
    after.learn(meeting_of(note(meeting, "test", "default").body or {}) for meeting in before.take_fresh())
    assert after.is_new("a", MINUTE_NS + 20 * SECOND)
    assert not after.is_new("a", MINUTE_NS + WINDOW_NS + SECOND)
    assert after.take_fresh() == []


def test_a_pair_that_goes_on_meeting_is_noted_again_before_its_note_goes() -> None:
    one, noted = book(), []
    for day in range(40):
        one.is_new("a", MINUTE_NS + day * DAY_NS)
        noted += [note(meeting, "test", "default") for meeting in one.take_fresh()]
    assert [found.index for found in noted] == [
        f"conntrail-edge-default-2026.{day}" for day in ("11.23", "12.01", "12.09", "12.17", "12.25")
    ]
    assert len({(found.id, found.version) for found in noted}) == 1


def test_after_a_restart_a_pair_is_noted_again_when_its_last_note_is_old() -> None:
    last = Meeting("a", MINUTE_NS, MINUTE_NS + 24 * DAY_NS)
    one = book()
    one.learn([meeting_of(note(last, "test", "default").body or {})])
    assert not one.is_new("a", MINUTE_NS + 30 * DAY_NS)
    assert one.take_fresh() == []
    assert not one.is_new("a", MINUTE_NS + 32 * DAY_NS)
    assert one.take_fresh() == [Meeting("a", MINUTE_NS, MINUTE_NS + 32 * DAY_NS)]


def test_a_note_of_before_it_told_when_the_pair_was_seen_is_one_of_its_first_window() -> None:
    old = {"@timestamp": "2026-11-23T18:32:00.000Z", "orchestrator": {"cluster": {"name": "test"}}, "edge": "a"}
    assert meeting_of(old) == Meeting("a", MINUTE_NS, MINUTE_NS)


def test_of_many_notes_on_a_pair_the_earliest_end_and_the_latest_sight_count() -> None:
    late, early = Meeting("a", MINUTE_NS + WINDOW_NS, MINUTE_NS + DAY_NS), Meeting("a", MINUTE_NS, MINUTE_NS)
    both = Meeting("a", MINUTE_NS, MINUTE_NS + DAY_NS)
    assert late.joined(early) == early.joined(late) == both.joined(None) == both


def test_of_two_notes_on_a_pair_the_earlier_has_the_higher_version_and_the_same_id() -> None:
    early, late = (note(Meeting("a", at, MINUTE_NS), "test", "default") for at in (MINUTE_NS, MINUTE_NS + WINDOW_NS))
    assert early.id == late.id
    assert early.version > late.version > 0
    assert len(note(Meeting("a" * 5000, MINUTE_NS, MINUTE_NS), "test", "default").id) < 64


def test_a_scan_of_ports_makes_the_book_forget_and_that_is_counted() -> None:
    one = book(limit=10)
    for port in range(25):
        one.is_new(str(port), AT_NS)
    assert one.take_forgotten() == 15
    assert one.is_new("0", AT_NS + 10 * WINDOW_NS), "what is forgotten is indexed once more, never left out"


def test_pods_of_one_workload_are_one_pair_and_ports_are_not() -> None:
    one, other = to(80), to(80)
    other["source"]["kubernetes"]["pod"]["name"] = "client-2"
    other["source"]["port"] = 1
    assert edge_of(one) == edge_of(other)
    assert edge_of(one) != edge_of(to(81))
    node = to(80)
    node["source"]["kubernetes"]["workload"] = None
    assert edge_of(node) != edge_of(one)
    assert "|node1|" in edge_of(node)


def test_windows_are_all_there_and_say_that_flows_are_not() -> None:
    marked = Level(book()).window(window_document(window(), "default"))
    assert marked.body is not None
    assert marked.body["conntrail"]["level"] == "notable"
