"""Scans, and the room that edges have: whoever dials much hides nothing of others, nor of itself."""

from streams.alert.signal.end import NOWHERE, OUTSIDE, End
from tests.unit.streams.alert.builders import (
    CHECKOUT,
    DATABASE,
    FRONTEND,
    HOUR,
    MINUTE,
    OUT,
    SECOND,
    SETTLED,
    World,
    denial,
    failed,
    settled,
    window,
)


def test_a_workload_that_dials_everybody_is_no_reason_to_forget_the_others() -> None:
    made = settled(maximum_edges=60, maximum_edges_of_source=50)
    for number in range(200):
        made.take(window(made.place("windows"), CHECKOUT, End("x", "Pod", f"p{number}"), at=SETTLED))
    made.advance(SETTLED + MINUTE)
    counters = made.engine.counters
    assert (counters.refused_edges, counters.evicted_edges) == (150, 0)
    assert made.fired() == {"host-scan"} or counters.refused_edges
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED + MINUTE))
    made.advance(SETTLED + 2 * MINUTE)
    assert "communication-break" in made.fired()


def scan(made: World, *, at: int, first: int, count: int = 60) -> None:
    for port in range(first, first + count):
        made.take(denial(made, CHECKOUT, DATABASE, at=at, port=port))
    made.advance(at + MINUTE)


def test_a_workload_that_has_scanned_before_is_told_of_again() -> None:
    made = settled(maximum_edges_of_source=50)
    scan(made, at=SETTLED, first=1000)
    made.advance(SETTLED + HOUR)
    scan(made, at=SETTLED + 2 * HOUR, first=2000)
    told = [one["status"] for one in made.records if one["rule"] == "port-scan" and one["status"] != "updated"]
    assert told == ["open", "resolved", "open"]
    assert len(made.engine._known.edges) == 51


def test_what_never_worked_makes_room_for_what_its_source_dials_next() -> None:
    made = settled(maximum_edges_of_source=50)
    made.works(CHECKOUT, at=SETTLED)
    scan(made, at=SETTLED + 5 * MINUTE, first=1000)
    made.restart()
    at = SETTLED + 2 * HOUR
    made.window(CHECKOUT, End("", OUTSIDE, "203.0.113.9"), at=at, **OUT)
    made.advance(at + 2 * MINUTE)
    assert "first-contact-outside" in made.fired()
    made.take(denial(made, CHECKOUT, DATABASE, at=at + 2 * MINUTE))
    made.advance(at + 3 * MINUTE)
    assert "communication-break" in made.open()


def test_a_workload_whose_edges_all_work_is_told_of_when_it_scans() -> None:
    made = settled(maximum_edges_of_source=50)
    for number in range(50):
        made.take(window(made.place("windows"), CHECKOUT, End("x", "Pod", f"p{number}"), at=SETTLED))
    made.advance(SETTLED + HOUR)
    scan(made, at=SETTLED + HOUR, first=1000)
    assert made.engine.counters.refused_edges == 60
    assert "port-scan" in made.open()


def test_a_workload_with_more_edges_than_are_kept_does_not_scan_when_one_of_them_fails() -> None:
    made = settled(maximum_edges_of_source=50)
    for minute in range(30):
        at = SETTLED + minute * MINUTE
        for number in range(200):
            made.take(window(made.place("windows"), CHECKOUT, End("x", "Pod", f"p{number}"), at=at))
        made.advance(at + MINUTE)
    made.records.clear()
    made.window(CHECKOUT, End("x", "Pod", "p199"), at=SETTLED + 30 * MINUTE, **failed("timeout"))
    made.advance(SETTLED + 32 * MINUTE)
    assert "host-scan" not in made.fired()


def test_who_scans_from_outside_is_no_reason_to_forget_what_works_inside() -> None:
    made = settled(maximum_edges=60, maximum_edges_from_outside=50)
    made.window(NOWHERE, CHECKOUT, port=8080, direction="inbound")
    for port in range(1000, 1200):
        facts = {"port": port, "direction": "inbound", **failed("refused")}
        made.take(window(made.place("windows"), NOWHERE, CHECKOUT, at=SETTLED, **facts))
    made.advance(SETTLED + MINUTE)
    assert len(made.engine._known.edges) == 51
    for source, port in ((FRONTEND, 5432), (NOWHERE, 8080)):
        destination = CHECKOUT if source == NOWHERE else DATABASE
        made.take(denial(made, source, destination, at=SETTLED + MINUTE, port=port))
    made.advance(SETTLED + 2 * MINUTE)
    broken = [one for one in made.open().values() if one["rule"] == "communication-break"]
    assert len(broken) == 2


def test_edges_that_are_forgotten_make_room_for_new_ones_of_their_source() -> None:
    made = settled(maximum_edges_of_source=1, forget_seconds=86400)
    made.advance(SETTLED + 25 * HOUR)
    assert len(made.engine._known.edges) == 0
    made.window(destination=End("new", "Deployment", "app"), at=SETTLED + 25 * HOUR)
    assert made.engine.counters.refused_edges == 0


def test_sources_outside_share_one_edge() -> None:
    made = settled()
    for number in range(50):
        made.take(window(made.place("windows"), NOWHERE, CHECKOUT, at=SETTLED + number, port=8080, direction="inbound"))
    assert len(made.engine._known.edges) == 2


def test_a_scan_is_told_and_not_the_edges_that_it_tries() -> None:
    made = settled()
    for attempt in range(4):
        for port in range(1000, 1030):
            at = SETTLED + (attempt * 5) * SECOND
            made.take(denial(made, CHECKOUT, DATABASE, at=at, port=port))
        made.advance(SETTLED + attempt * 5 * SECOND)
    made.advance(SETTLED + MINUTE)
    assert made.fired() == {"port-scan"}
    assert made.engine.counters.inhibited == 30
