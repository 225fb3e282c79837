"""What may have caused it, ranked; facts that come late; what a policy's change did."""

from typing import Any

import pytest

from runtime.unit import Seconds
from streams.alert.cause.happening import of_change, of_event
from streams.alert.cause.rank import ranked
from streams.alert.cause.weight import FIT, nearness
from streams.alert.fact.subject import Context
from streams.alert.settings import AlertSettings
from streams.alert.signal.signal import ChangeSignal, EventSignal
from tests.unit.streams.alert.builders import (
    CHECKOUT,
    DATABASE,
    DENY,
    FRONTEND,
    MINUTE,
    SECOND,
    SETTLED,
    World,
    change,
    denial,
    dns,
    failed,
    window,
)

LOOK_BACK = 600 * SECOND


def context(mode: str, **facts: Any) -> Context:
    return Context(
        mode=mode, source=FRONTEND, destination=DATABASE, port=5432, transport="tcp", service="data/db", **facts
    )


def changed(kind: str, seconds: float = 10, **facts: Any) -> ChangeSignal:
    chosen = {
        "place": None, "at_ns": SETTLED - round(seconds * SECOND), "id": f"{kind}{seconds}", "kind": kind,
        "namespace": "data", "name": "x", "action": "changed", "summary": f"{kind} changed", **facts,
    }  # fmt: skip
    return ChangeSignal(**chosen)


def causes(mode: str, *changes: ChangeSignal, **facts: Any) -> list[str]:
    found = ranked(map(of_change, changes), context(mode, **facts), SETTLED, LOOK_BACK)
    return [cause.happening.object for cause in found]


TOUCHES = ("data/db",)
ALL = (
    changed("NetworkPolicy", workloads=TOUCHES),
    changed("StatefulSet", name="db", action="rolled_out", workloads=TOUCHES),
    changed("EndpointSlice", action="unready", service="data/db", workloads=TOUCHES),
    changed("Node", namespace="", name="node2", action="unready"),
)


@pytest.mark.parametrize(
    ("mode", "first"),
    [
        ("denied", "NetworkPolicy/data/x"),
        ("refused", "EndpointSlice/data/x"),
        ("no_endpoints", "EndpointSlice/data/x"),
        ("error", "StatefulSet/data/db"),
    ],
)
def test_the_kind_of_change_that_fits_the_failure_comes_first(mode: str, first: str) -> None:
    assert causes(mode, *ALL, nodes=["node2"])[0] == first


def test_a_node_is_a_cause_only_where_an_end_is_on_it() -> None:
    assert "Node//node2" in causes("timeout", *ALL, nodes=["node2"])
    assert "Node//node2" not in causes("timeout", *ALL, nodes=["node1"])


def test_the_later_of_two_changes_comes_first() -> None:
    early, late = (
        changed("NetworkPolicy", 300, name="a", workloads=TOUCHES),
        changed("NetworkPolicy", 5, name="b", workloads=TOUCHES),
    )
    assert causes("denied", early, late) == ["NetworkPolicy/data/b", "NetworkPolicy/data/a"]


def test_the_policy_that_the_denial_names_comes_before_a_later_one_that_is_only_near() -> None:
    named = changed("NetworkPolicy", 60, name="db-ingress", workloads=TOUCHES)
    near = changed("NetworkPolicy", 5, name="other")
    assert causes("denied", named, near, policies=[DENY])[0] == "NetworkPolicy/data/db-ingress"


def test_that_a_policy_went_is_no_cause_of_what_it_denied_before() -> None:
    """One that came and went within seconds is named by denials of between; the later of both is not the cause."""
    came = changed("NetworkPolicy", 4, name="db-ingress", action="created", workloads=TOUCHES)
    went = changed("NetworkPolicy", -1, name="db-ingress", action="deleted", workloads=TOUCHES)
    found = ranked(map(of_change, (came, went)), context("denied", policies=[DENY]), SETTLED, LOOK_BACK)
    assert [cause.happening.action for cause in found] == ["created"]
    assert causes("denied", went, policies=["NetworkPolicy:data/other:rule=-1:deny"]) == [
        "NetworkPolicy/data/db-ingress"
    ]


def test_a_policy_whose_name_only_begins_alike_is_not_named() -> None:
    other = changed("NetworkPolicy", name="db", workloads=("data/other",))
    assert causes("denied", other, policies=["NetworkPolicy:data/db-ingress:rule=0:deny"]) == []


@pytest.mark.parametrize(
    "change",
    [
        changed("NetworkPolicy", 3600, workloads=TOUCHES),
        changed("NetworkPolicy", -60, workloads=TOUCHES),
        changed("NetworkPolicy", workloads=("other/app",)),
        changed("NetworkPolicy", namespace="elsewhere"),
        changed("Deployment", namespace="data", workloads=("data/other",)),
        changed("EndpointSlice", action="ready", service="data/db", workloads=TOUCHES),
        changed("ConfigMap", workloads=TOUCHES),
    ],
)
def test_what_is_too_old_too_late_or_unrelated_is_no_cause(change: ChangeSignal) -> None:
    assert causes("denied", change) == []


@pytest.mark.parametrize("mode", ["dns", "denied", "refused", "timeout", "no_endpoints", "error", "slow"])
def test_what_befalls_that_which_the_source_answers_by_is_no_cause_of_what_it_dials(mode: str) -> None:
    own = {"namespace": "shop", "workloads": ("shop/frontend",), "service": "shop/frontend"}
    befallen = (
        changed("EndpointSlice", action="unready", **own),
        changed("Pod", action="restarted", **own),
        changed("Deployment", action="scaled", **own),
    )
    rolled_out = changed("Deployment", action="rolled_out", name="frontend", **own)
    assert causes(mode, *befallen, rolled_out) == ["Deployment/shop/frontend"]


def test_a_policy_of_the_whole_cluster_may_be_the_cause() -> None:
    assert causes("denied", changed("ClusterNetworkPolicy", namespace="")) == ["ClusterNetworkPolicy//x"]


def test_each_cause_says_why_and_no_confidence_leaves_its_range() -> None:
    for mode in FIT:
        for cause in ranked(map(of_change, ALL), context(mode, nodes=["node2"]), SETTLED, LOOK_BACK):
            assert 0 < cause.confidence <= 1
            assert len(cause.evidence) >= 2


def test_nearness_falls_with_time() -> None:
    values = [nearness(seconds) for seconds in (0, 5, 60, 125, 600)]
    assert values[:2] == [1, 1]
    assert values == sorted(values, reverse=True)
    assert nearness(125) == pytest.approx(0.5)
    assert nearness(-31) == 0


def test_a_warning_of_a_pod_is_a_cause_and_one_of_certificates_is_told_so() -> None:
    event = EventSignal(None, SETTLED, "e", "Pod", "data", "db-0", "Warning", "Unhealthy", "probe failed", 1, TOUCHES)
    happening = of_event(event)
    assert happening is not None
    assert [cause.happening.kind for cause in ranked([happening], context("refused"), SETTLED, LOOK_BACK)] == ["pod"]
    expired = EventSignal(
        None, SETTLED, "e", "Pod", "data", "db-0", "Warning", "Failed", "x509: certificate has expired"
    )
    assert getattr(of_event(expired), "kind", "") == "certificate"
    assert of_event(EventSignal(None, SETTLED, "e", "Pod", "data", "db-0", "Normal", "Pulled", "image")) is None


def settled() -> World:
    made = World(settings=AlertSettings(update_seconds=10))
    made.works()
    made.settle()
    return made


def test_a_change_that_is_told_late_updates_the_alert() -> None:
    made = settled()
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + 3 * SECOND)
    assert made.records[0]["causes"] == []
    made.take(change(made, at=SETTLED - SECOND))
    made.advance(SETTLED + 20 * SECOND)
    assert made.records[1]["status"] == "updated"
    assert made.records[1]["causes"][0]["object"] == "NetworkPolicy/data/db-ingress"
    assert made.records[1]["reason"] == "NetworkPolicy changed by ci-bot, 1 s before it began"


def test_who_made_a_change_may_be_told_later_than_the_change() -> None:
    made = settled()
    made.take(change(made, at=SETTLED - SECOND, by=""))
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + 3 * SECOND)
    made.take(change(made, at=SETTLED - SECOND, by="kim", by_at_ns=SETTLED - SECOND))
    made.advance(SETTLED + 20 * SECOND)
    assert [record["causes"][0]["by"] for record in made.records] == ["", "kim"]


def test_a_cause_that_was_told_is_told_as_long_as_the_alert_is_open() -> None:
    made = settled()
    made.take(change(made, at=SETTLED - SECOND))
    for number in range(180):
        made.take(denial(made, FRONTEND, DATABASE, at=SETTLED + number * MINUTE))
        made.advance(SETTLED + number * MINUTE + 3 * SECOND)
    told = [record for record in made.records if record["rule"] == "communication-break"]
    assert len(told) > 3
    assert {record["causes"][0]["by"] for record in told} == {"ci-bot"}


def test_failing_names_are_a_cause_of_what_times_out() -> None:
    made = settled()
    for number in range(8):
        made.take(dns(made, f"n{number}.example", "TIMEOUT", at=SETTLED + number * SECOND))
    made.window(at=SETTLED + 20 * SECOND, **failed("timeout"))
    made.advance(SETTLED + 3 * MINUTE)
    alert = made.open().get("communication-break") or made.records[-1]
    assert [cause["kind"] for cause in alert["causes"]] == ["dns"]


def test_what_a_policy_did_is_one_report_with_what_stopped_and_what_started() -> None:
    made = World()
    for source in (FRONTEND, CHECKOUT):
        made.works(source)
    made.settle()
    made.take(change(made, at=SETTLED))
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED + SECOND))
    made.take(denial(made, CHECKOUT, DATABASE, at=SETTLED + 119 * SECOND))
    made.advance(SETTLED + 5 * MINUTE)
    (report,) = [record for record in made.records if record["rule"] == "policy-change-effect"]
    assert report["severity"] == "low"
    assert report["message"] == (
        "NetworkPolicy/data/db-ingress changed by ci-bot: 2 connections stopped, 0 started within 120 s"
    )
    assert report["members"] == [
        "stopped: shop/frontend → data/db:5432/tcp", "stopped: shop/checkout → data/db:5432/tcp",
    ]  # fmt: skip
    assert report["causes"][0]["by"] == "ci-bot"


def test_the_effect_of_a_policy_is_told_as_soon_as_its_setting_says() -> None:
    made = World(settings=AlertSettings(effect_seconds=Seconds(10)))
    made.works(FRONTEND)
    made.settle()
    made.take(change(made, at=SETTLED))
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED + SECOND))
    made.advance(SETTLED + 20 * SECOND)
    (report,) = [record for record in made.records if record["rule"] == "policy-change-effect"]
    assert report["message"].endswith("1 connections stopped, 0 started within 10 s")


def test_what_begins_to_work_after_a_policy_went_is_told_too() -> None:
    made = settled()
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + MINUTE)
    made.take(change(made, at=SETTLED + 59 * SECOND, action="deleted"))
    made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED + MINUTE))
    made.advance(SETTLED + 10 * MINUTE)
    (report,) = [record for record in made.records if record["rule"] == "policy-change-effect"]
    assert report["members"] == ["started: shop/frontend → data/db:5432/tcp"]


@pytest.mark.parametrize(
    "happen",
    [
        lambda made: made.take(denial(made, FRONTEND, DATABASE, at=SETTLED + 3 * MINUTE)),
        lambda made: made.window(at=SETTLED, **failed("refused")),
        lambda made: made.window(at=SETTLED),
    ],
)
def test_what_a_policy_did_not_do_is_not_told_as_its_effect(happen: Any) -> None:
    made = settled()
    made.take(change(made, at=SETTLED))
    happen(made)
    made.advance(SETTLED + 10 * MINUTE)
    assert "policy-change-effect" not in made.fired()


def test_an_effect_is_told_when_the_change_is_told_late_and_over_a_restart() -> None:
    made = settled()
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.take(change(made, at=SETTLED - SECOND))
    made.advance(SETTLED + 10 * SECOND)
    made.restart()
    made.advance(SETTLED + 10 * MINUTE)
    assert "policy-change-effect" in made.fired()
