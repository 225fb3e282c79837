"""Edges: what worked, what fails, and what is known of either."""

import pytest

from streams.alert.signal.end import NODE, OUTSIDE, SERVICE, End
from tests.unit.streams.alert.builders import (
    CHECKOUT,
    DATABASE,
    FRONTEND,
    HOUR,
    MINUTE,
    OUT,
    SETTLED,
    World,
    denial,
    dns,
    failed,
    settled,
)

WEB = "api.pay.example"


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
