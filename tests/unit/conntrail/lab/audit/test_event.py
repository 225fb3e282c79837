"""What the lab writes is read by the cluster agent as what an API server writes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.cluster.audit.choice import Choice, choose
from agents.cluster.audit.parse import parse_line
from agents.cluster.audit.record import request_of
from agents.cluster.record.kind import KINDS
from conntrail.lab.audit.event import Asked, Request, apply_requests, audit_event, delete_requests
from conntrail.lab.kind import CLUSTER_WIDE, POLICY_KINDS, resource_of
from tests.unit.conntrail.lab.builders import an_object, calico

RECEIVED = datetime(2026, 11, 28, 20, 15, 30, 250_000, tzinfo=UTC)
ANSWERED = datetime(2026, 11, 28, 20, 15, 30, 400_000, tzinfo=UTC)
Object = dict[str, Any]


def policy(name: str) -> Object:
    return {**an_object("NetworkPolicy", name, {}, namespace="shop"), "apiVersion": "networking.k8s.io/v1"}


def event(request: Request) -> dict[str, Any]:
    return audit_event(request, Asked("jane", RECEIVED, ANSWERED), "an-id")


def line(request: Request) -> bytes:
    return json.dumps(event(request)).encode()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource)
def test_a_kind_is_named_as_the_api_names_it(kind: Any) -> None:
    assert resource_of(kind.name) == kind.plural


def test_a_policy_that_is_made_is_told_as_an_api_server_tells_it() -> None:
    [made] = apply_requests([], [policy("closed")])
    assert event(made) == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "an-id",
        "stage": "ResponseComplete",
        "requestURI": "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
        "verb": "create",
        "user": {"username": "jane", "groups": ["system:authenticated"]},
        "sourceIPs": ["127.0.0.1"],
        "userAgent": "conntrail-lab",
        "objectRef": {
            "resource": "networkpolicies",
            "namespace": "shop",
            "name": "closed",
            "apiGroup": "networking.k8s.io",
            "apiVersion": "v1",
        },
        "responseStatus": {"metadata": {}, "code": 201},
        "requestReceivedTimestamp": "2026-11-28T20:15:30.250000Z",
        "stageTimestamp": "2026-11-28T20:15:30.400000Z",
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
    }


def test_what_is_there_is_patched_and_what_is_new_is_created() -> None:
    found = apply_requests([policy("a")], [policy("a"), policy("b")])
    assert [(one.verb, one.value["metadata"]["name"], one.code) for one in found] == [
        ("patch", "a", 200),
        ("create", "b", 201),
    ]


def test_what_is_not_there_cannot_be_deleted() -> None:
    gone, never = delete_requests([policy("a")], [policy("a"), policy("b")])
    assert event(gone)["requestURI"].endswith("/networkpolicies/a")
    assert event(gone)["responseStatus"] == {"metadata": {}, "code": 200}
    assert event(never)["responseStatus"] == {"metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404}
    assert request_of(parse_line(line(never))) is None


def test_objects_of_the_core_group_and_of_the_whole_cluster_have_paths_of_their_own() -> None:
    namespace, pod = an_object("Namespace", "shop"), an_object("Pod", "web", {}, namespace="shop")
    namespace["apiVersion"] = pod["apiVersion"] = "v1"
    paths = [event(one)["requestURI"] for one in delete_requests([], [namespace, pod])]
    assert paths == ["/api/v1/namespaces/shop", "/api/v1/namespaces/shop/pods/web"]
    assert "apiGroup" not in event(Request("delete", pod, 200))["objectRef"]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", POLICY_KINDS)
def test_a_change_of_every_kind_is_joined_with_who_made_it(kind: str) -> None:
    name = kind.partition(".")[0]
    value = calico("p", "shop") if "." in kind else an_object(name, "p", {})
    if kind == "NetworkPolicy":
        value["apiVersion"] = "networking.k8s.io/v1"
    if kind not in CLUSTER_WIDE:
        value["metadata"]["namespace"] = "shop"
    [made] = apply_requests([], [value])
    read = parse_line(line(made))
    request = request_of(read)
    assert choose(read, has_reads=False) is Choice.ALWAYS
    assert request is not None
    assert (request.verb, request.user, request.received_at_ns) == (
        "create",
        "jane",
        int(RECEIVED.timestamp()) * 10**9 + 250_000_000,
    )
