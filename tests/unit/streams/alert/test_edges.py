"""Edges: what worked, what fails, and what is known of either."""

from dataclasses import replace
from typing import Any

import pytest

from streams.alert.settings import AlertSettings
from streams.alert.signal.end import NODE, NOWHERE, OUTSIDE, SERVICE, End
from tests.unit.streams.alert.builders import (
    CHECKOUT,
    DATABASE,
    FRONTEND,
    HOUR,
    MINUTE,
    SECOND,
    SETTLED,
    World,
    denial,
    dns,
    failed,
    window,
)

OUT = {"port": 443, "direction": "outbound", "protocol": "tls"}
WEB = "api.pay.example"


def settled(**chosen: Any) -> World:
    made = World(settings=AlertSettings(**chosen))
    made.works(service="data/db", service_port=5433)
    made.settle()
    return made


def test_a_service_without_endpoints_is_the_edge_that_stood_behind_it_whatever_its_port() -> None:
    made = settled()
    service = End("data", SERVICE, "db")
    made.window(destination=service, port=5433, service="data/db", service_port=5433, **failed("no_endpoints"))
    made.advance(SETTLED + 2 * MINUTE)
    (alert,) = made.records
    assert alert["message"] == "shop/frontend no longer reaches data/db:5432/tcp: no_endpoints"
    made.restart()
    made.window(destination=service, port=5433, at=SETTLED + MINUTE, service="data/db", service_port=5433,
                **failed("no_endpoints"))  # fmt: skip
    assert len(made.open()) == 1


def test_a_service_that_never_worked_is_an_edge_of_its_own() -> None:
    made = settled()
    made.window(CHECKOUT, End("data", SERVICE, "db"), service="data/db", service_port=5433, **failed("no_endpoints"))
    made.advance(SETTLED + 2 * MINUTE)
    assert made.records == []


def test_a_few_refusals_are_no_break() -> None:
    made = settled()
    made.window(**failed("refused", 2))
    made.advance(SETTLED + 3 * MINUTE)
    assert made.records == []


def test_probes_that_fail_are_not_told_but_probes_that_are_denied_are() -> None:
    kubelet = End("", NODE, "node1")
    made = World()
    made.works(kubelet)
    made.settle()
    made.window(kubelet, **failed("refused"))
    made.advance(SETTLED + 2 * MINUTE)
    assert made.records == []
    made.take(denial(made, kubelet, DATABASE, at=SETTLED + 2 * MINUTE))
    made.advance(SETTLED + 3 * MINUTE)
    assert made.fired() == {"communication-break"}


def test_a_failure_that_is_told_after_a_later_success_opens_nothing() -> None:
    made = settled()
    made.window(at=SETTLED + 2 * MINUTE)
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + 4 * MINUTE)
    assert made.records == []


def test_an_address_whose_name_is_known_is_no_first_contact() -> None:
    """A name of many addresses, as those of content networks, is met once."""
    made = settled()
    for number in range(3):
        address = f"203.0.113.{number}"
        at = SETTLED + number * HOUR
        made.take(dns(made, f"n{number}.{WEB}", at=at, answers=("cname.example", address)))
        made.window(destination=End("", OUTSIDE, address), at=at, **OUT)
        made.advance(at + 2 * MINUTE)
    opened = [record for record in made.records if record["status"] == "open"]
    assert [record["subject"]["domain"] for record in opened] == [f"n0.{WEB}"]


def test_an_address_without_a_name_is_a_contact_of_its_own() -> None:
    made = settled()
    for number in range(2):
        made.window(destination=End("", OUTSIDE, f"203.0.113.{number}"), at=SETTLED + number * HOUR, **OUT)
        made.advance(SETTLED + number * HOUR + 2 * MINUTE)
    assert [record["status"] for record in made.records] == ["open", "resolved", "open"]


def test_a_new_workload_has_only_new_edges_and_none_is_news() -> None:
    made = settled()
    young = End("shop", "Deployment", "young")
    for number in range(3):
        made.window(young, End("billing", "Deployment", f"app{number}"), port=8080)
        made.window(young, End("", OUTSIDE, f"203.0.113.{number}"), **OUT)
    made.advance(SETTLED + 3 * MINUTE)
    assert made.records == []


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


def test_who_watches_the_cluster_may_meet_a_new_application_at_once() -> None:
    made = settled()
    for number in range(30):
        made.window(CHECKOUT if number == 0 else FRONTEND, End("shop", "Deployment", f"new{number}"), port=9090)
    made.advance(SETTLED + 2 * MINUTE)
    assert made.records == []


def test_a_break_says_it_better_than_the_denials_that_went_before() -> None:
    """What was told of an edge is taken back when a rule that says more is told of it."""
    made = settled()
    for minute in range(3):
        made.window(at=SETTLED + minute * MINUTE, is_drift=True, verdict="deny")
    made.advance(SETTLED + 3 * MINUTE)
    assert set(made.open()) == {"policy-drift"}
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED + 4 * MINUTE))
    made.advance(SETTLED + 5 * MINUTE)
    assert set(made.open()) == {"communication-break"}
    taken = next(record for record in made.records if record["status"] == "resolved")
    assert taken["reason"].startswith("told by a connection that worked fails")


@pytest.mark.parametrize(
    ("protocol", "port", "is_told"),
    [("http", 8443, True), ("", 80, True), ("", 23, True), ("tls", 80, False), ("", 443, False), ("ssh", 21, False)],
)
def test_what_is_clear_text_is_known_by_the_protocol_else_by_the_port(protocol: str, port: int, is_told: bool) -> None:
    made = settled()
    outside = End("", OUTSIDE, "2001:db8::9")
    made.window(destination=outside, port=port, protocol=protocol, direction="outbound")
    made.advance(SETTLED + 2 * MINUTE)
    assert ("insecure-egress" in made.fired()) == is_told


def test_a_policy_that_was_only_tried_is_not_missed() -> None:
    made = World()
    for minute in range(3):
        made.window(CHECKOUT, DATABASE, at=SETTLED + minute * MINUTE)
    made.window(CHECKOUT, DATABASE, at=SETTLED + 3 * MINUTE, verdict="none", policies=())
    made.advance(SETTLED + 6 * MINUTE)
    assert "policy-lost" not in made.fired()


def refusals(made: World, *, seconds: int, every: int = 1, mode: str = "refused", begun: int = 0) -> None:
    """Told at once, each by both nodes."""
    for number in range(0, seconds, every):
        at = SETTLED + number * SECOND
        for _ in range(2):
            signal = denial(made, FRONTEND, DATABASE, at=at, seconds=0, denied=0, denied_by=(), identity=f"r{number}")
            made.take(replace(signal, action="failed", mode=mode, failed=1, begun=begun))
        made.advance(at + SECOND)


def test_refusals_that_are_told_at_once_open_when_nothing_else_can_have_got_through() -> None:
    made = settled()
    refusals(made, seconds=15)
    (alert,) = made.records
    assert (alert["rule"], alert["count"]) == ("communication-break", 11)


def test_refusals_open_within_seconds_when_all_that_the_client_tried_was_refused() -> None:
    made = settled()
    refusals(made, seconds=3, begun=1)
    made.advance(SETTLED + 4 * SECOND)
    (alert,) = made.records
    assert (alert["rule"], alert["count"], alert["started_at_ns"]) == ("communication-break", 3, SETTLED)


def test_a_break_after_refusals_among_connections_that_got_through_began_when_none_did() -> None:
    made = settled()
    refusals(made, seconds=5, begun=9)
    for number in range(6, 10):
        signal = denial(made, FRONTEND, DATABASE, at=SETTLED + number * SECOND, seconds=0, denied=0, denied_by=())
        made.take(replace(signal, action="failed", mode="refused", failed=1, begun=1))
        made.advance(SETTLED + number * SECOND)
    made.advance(SETTLED + 11 * SECOND)
    (alert,) = made.records
    assert SETTLED + 4 * SECOND - 1 <= alert["started_at_ns"] <= SETTLED + 6 * SECOND


def test_a_window_that_is_told_before_its_end_holds_up_no_alert() -> None:
    made = settled()
    made.engine.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED), SETTLED)
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + 3 * SECOND)
    assert [record["rule"] for record in made.records] == ["communication-break"]


def test_a_service_that_has_lost_all_endpoints_is_told_of_within_seconds() -> None:
    made = settled()
    refusals(made, seconds=5, mode="no_endpoints")
    assert [record["message"] for record in made.records] == [
        "shop/frontend no longer reaches data/db:5432/tcp: no_endpoints"
    ]


@pytest.mark.parametrize(
    ("seconds", "every", "begun"), [(8, 1, 0), (50, 15, 0), (8, 1, 2), (50, 1, 2), (50, 15, 16), (50, 15, 1)]
)
def test_refusals_of_a_rollout_or_now_and_then_open_nothing(seconds: int, every: int, begun: int) -> None:
    """One connection a second gets through otherwise."""
    made = settled()
    for minute in range(10):
        made.window(at=SETTLED - (20 - minute) * MINUTE, started=60)
    refusals(made, seconds=seconds, every=every, begun=begun)
    made.window(at=SETTLED)
    made.advance(SETTLED + 2 * MINUTE)
    assert made.records == []


def test_what_both_nodes_tell_counts_once() -> None:
    made = settled()
    for number in range(3):
        made.take(denial(made, FRONTEND, DATABASE, at=SETTLED, identity="same", denied=4))
        made.advance(SETTLED + (number + 1) * 10 * SECOND)
    assert [record["count"] for record in made.records] == [4]


def test_a_burst_of_single_denials_is_counted_whole() -> None:
    made = settled()
    for number in range(1500):
        made.take(denial(made, CHECKOUT, DATABASE, at=SETTLED + number * SECOND // 10, seconds=0, denied=1))
    made.advance(SETTLED + 152 * SECOND)
    (state,) = [
        made.engine._known.edges._shelf.get(key) for key in made.engine._known.edges._shelf if "checkout" in key
    ]
    assert state is not None
    assert len(state.entries) <= 48
    assert sum(entry.denied for entry in state.entries) == 1500
    assert made.engine.counters.evicted_tallies == 0
    assert "denial-burst" in made.fired()


def test_a_clock_that_is_far_ahead_moves_nothing() -> None:
    made = settled()
    for signal in (denial(made, FRONTEND, DATABASE, at=SETTLED + HOUR), dns(made, "x.example", at=SETTLED + HOUR)):
        assert made.engine.take(signal) == []
    assert made.engine.counters.ahead == 2
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + 3 * SECOND)
    assert made.records[0]["started_at_ns"] == SETTLED
