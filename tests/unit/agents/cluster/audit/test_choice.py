"""Which audit events are kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.audit.choice import Allowance, Choice, choose
from agents.cluster.audit.parse import parse_list
from tests.unit.agents.cluster.audit.events import audit_event, listed

_SECOND = 1_000_000_000


def _of(group: str, resource: str, subresource: str = "") -> dict[str, str]:
    return {"apiGroup": group, "resource": resource, "subresource": subresource, "namespace": "shop", "name": "x"}


@pytest.mark.parametrize(
    ("change", "choice"),
    [
        ({}, Choice.ALWAYS),
        ({"stage": "Panic"}, Choice.ALWAYS),
        ({"stage": "RequestReceived"}, Choice.STAGE),
        ({"stage": "ResponseStarted", "verb": "watch"}, Choice.STAGE),
        ({"verb": "get"}, Choice.READ),
        ({"verb": "watch"}, Choice.READ),
        ({"responseStatus": {"code": 403}}, Choice.ALWAYS),
        ({"objectRef": _of("apps", "deployments", "scale"), "verb": "patch"}, Choice.ALWAYS),
        ({"objectRef": _of("", "services"), "verb": "delete"}, Choice.ALWAYS),
        ({"objectRef": _of("crd.projectcalico.org", "globalnetworkpolicies")}, Choice.ALWAYS),
        ({"objectRef": _of("rbac.authorization.k8s.io", "clusterroles")}, Choice.ALWAYS),
        ({"objectRef": _of("", "pods", "exec"), "verb": "get"}, Choice.ALWAYS),
        ({"objectRef": _of("", "pods", "portforward"), "verb": "create"}, Choice.ALWAYS),
        ({"objectRef": _of("", "pods", "status"), "verb": "patch"}, Choice.LIMITED),
        ({"objectRef": _of("discovery.k8s.io", "endpointslices"), "verb": "update"}, Choice.LIMITED),
        ({"objectRef": _of("", "secrets")}, Choice.LIMITED),
        ({"objectRef": None}, Choice.LIMITED),
        ({"objectRef": _of("coordination.k8s.io", "leases"), "verb": "update"}, Choice.HEARTBEAT),
        ({"objectRef": _of("", "events")}, Choice.HEARTBEAT),
    ],
)
def test_policies_services_and_workloads_come_first(change: dict[str, Any], choice: Choice) -> None:
    (event,) = parse_list(listed(audit_event(**change))).events
    assert choose(event, has_reads=False) is choice


def test_reads_are_kept_within_the_rate_when_they_are_asked_for() -> None:
    (event,) = parse_list(listed(audit_event(verb="list"))).events
    assert choose(event, has_reads=True) is Choice.LIMITED


@given(st.integers(0, 20), st.lists(st.integers(0, _SECOND), max_size=200))
def test_no_second_holds_more_than_twice_the_rate(rate: int, gaps: list[int]) -> None:
    """A second's worth at once, and what grows back within it."""
    allowance, now, kept = Allowance(rate), 10 * _SECOND, []
    for gap in gaps:
        now += gap
        if allowance.take(now):
            kept.append(now)
    assert all(sum(at <= other < at + _SECOND for other in kept) <= 2 * rate for at in kept)
    assert not kept or rate
