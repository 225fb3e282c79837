"""A policy cuts a workload off while traffic runs: an alert says so, names it and who made it, and ends with it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.lab import talking
from tests.support.observed import Observed, is_root, observed
from tests.support.pipeline import run_command
from tests.support.stack import RunningStack
from tests.support.watch import Alert, alerts_of, await_alerts, await_windows, told
from tests.system.test_policies import CLOSED, without_jobs

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
_MAKER, _MENDER = "jane", "joe"
_LAG_NS = 2 * 10**9
"""Until a change is known to be enforced."""


@pytest.fixture(scope="module")
def run(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    directory = tmp_path_factory.mktemp("alerts")
    with observed(stack, directory, manifests=without_jobs(directory)) as seen:
        _cut(seen, directory / "closed.yaml")
        seen.await_results()
        yield seen


def _cut(seen: Observed, closed: Path) -> None:
    closed.write_text(yaml.safe_dump(CLOSED))
    with talking(seen.lab):
        await_windows(seen, {("shop/frontend", "shop/payment")}, 2)
        seen.lab.apply(closed, user=_MAKER)
        await_alerts(seen, "a break", lambda found: bool(told(_breaks(found), "communication-break", "shop/frontend")))
        seen.lab.delete(closed, user=_MENDER)
        await_alerts(seen, "its end", lambda found: {one["status"] for one in _breaks(found)} == {"resolved"})
        await_alerts(seen, "what either did", lambda found: len(_reports(found)) == len((_MAKER, _MENDER)))


@pytest.fixture(scope="module")
def alerts(run: Observed) -> list[Alert]:
    """The last word on each."""
    return alerts_of(run)


def _reports(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert["rule"] == "policy-change-effect"]


def _breaks(alerts: list[Alert]) -> list[Alert]:
    return told(alerts, "communication-break", "shop/payment")


def test_the_break_is_told_with_the_policy_as_its_cause(alerts: list[Alert]) -> None:
    breaks = _breaks(alerts)
    assert any("shop/frontend" in alert["workloads"] for alert in breaks)
    for alert in breaks:
        assert alert["severity"] == "high"
        assert any(policy.startswith("NetworkPolicy:shop/closed:") for policy in alert["policies"])
        assert (alert["causes"][0]["kind"], alert["causes"][0]["object"]) == ("policy", "NetworkPolicy/shop/closed")
        assert any("policy explain" in command for command in alert["suggestions"])


def test_the_break_is_told_with_who_made_the_policy(run: Observed, alerts: list[Alert]) -> None:
    breaks = _breaks(alerts)
    for alert in breaks:
        cause = alert["causes"][0]
        assert (cause["summary"], cause["by"]) == ("NetworkPolicy shop/closed created", _MAKER)
    shown = run_command(run.environment(), "alerts", "show", breaks[0]["id"])
    assert f"by {_MAKER}" in shown.stdout, shown.stderr


def test_what_a_policy_did_is_told_with_who_made_it_and_who_removed_it(alerts: list[Alert]) -> None:
    reports = _reports(alerts)
    assert sorted((alert["message"].partition(":")[0], alert["causes"][0]["by"]) for alert in reports) == [
        (f"NetworkPolicy/shop/closed created by {_MAKER}", _MAKER),
        (f"NetworkPolicy/shop/closed deleted by {_MENDER}", _MENDER),
    ]
    broken = {name for alert in _breaks(alerts) for name in alert["workloads"]} - {"shop/payment"}
    for alert in reports:
        verb = "stopped" if "created" in alert["message"] else "started"
        named = {member.removeprefix(f"{verb}: ").partition(" ")[0] for member in alert["members"]}
        assert broken <= named, alert["members"]


def test_who_did_what_is_listed(run: Observed) -> None:
    listed = run_command(run.environment(), "observe", "--type", "audit", "--since", "10m", "-o", "jsonl")
    found = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(one["user"]["name"], one["event"]["action"], one["event"]["outcome"]) for one in found] == [
        (_MAKER, "create", "success"),
        (_MENDER, "delete", "success"),
    ], listed.stderr
    assert {one["kubernetes"]["namespace"] for one in found} == {"shop"}
    assert all("shop/payment" in one["related"]["workloads"] for one in found)


def test_it_began_with_the_first_denied_connection_and_ended_when_the_policy_was_gone(
    run: Observed, alerts: list[Alert]
) -> None:
    denied = [
        fact["started_at_ns"]
        for fact in run.truth()
        if (fact["client"]["workload"], fact["service"], fact["outcome"]) == ("frontend", "shop/payment", "timeout")
    ]
    breaks = _breaks(alerts)
    assert {alert["status"] for alert in breaks} == {"resolved"}
    assert abs(min(alert["started_at_ns"] for alert in breaks) - min(denied)) < _LAG_NS
    for alert in breaks:
        assert alert["worked_until_ns"] < alert["resolved_at_ns"]


def test_nothing_else_is_called_severe(alerts: list[Alert]) -> None:
    severe = [alert for alert in alerts if alert["severity"] in ("high", "critical")]
    assert severe == _breaks(alerts)
