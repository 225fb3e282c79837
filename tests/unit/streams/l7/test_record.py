from typing import Any

import pytest

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.exchange.cut import Cut
from streams.exchange.evaluate import evaluate_part
from streams.exchange.record import Origin
from streams.exchange.report import Reports
from streams.l7.record import KIND
from streams.policy.knowledge import Names
from streams.policy.object import PolicyObject
from streams.policy.timeline import PolicyTimeline
from tests.support.objects import SECOND
from tests.support.parts import batch, l7_exchange, part
from tests.unit.streams.exchange.builders import DIRECTORY

CODEC = SingleObjectCodec(read_schema("l7"))
Row = dict[str, Any]
ALLOWED = {"method": "GET", "path": "/public/a"}
DENIED = {"method": "DELETE", "path": "/public/a"}


def exchanged(**facts: Any) -> Row:
    """A request of ``client`` to ``server``, answered."""
    values: Row = {
        "client_address": "10.0.1.7", "client_port": 40000, "server_address": "10.0.2.8", "server_port": 8080,
        "dialled_address": "10.96.0.1", "dialled_port": 80, "protocol": "http", "method": "GET", "host": "web",
        "path": "/orders/{id}", "status": 200, "count": 3, "first_seen_at_ns": 5 * SECOND,
        "last_seen_at_ns": 6 * SECOND, "http_version": "1.1", "latency_us": [10], "timed": 1, "latency_sum_us": 10,
        "latency_max_us": 10, **facts,
    }  # fmt: skip
    return l7_exchange(**values)


def record(row: Row, *policies: PolicyObject) -> Row:
    """As whoever reads the topic gets it."""
    known = PolicyTimeline()
    for policy in policies:
        known.apply(policy)
    of = batch("node1")
    kept = evaluate_part(KIND.prepare(part(of, [row], schema="l7_exchange").rows), Reports(), DIRECTORY).rows
    [(_, made)] = KIND.records(kept, Names(DIRECTORY, known), Origin("test", of))
    return dict(CODEC.decode(CODEC.encode(made)))


def by_request(kind: str, observed: int = 0) -> PolicyObject:
    """What lets nothing in to ``server`` but requests to read below /public."""
    if kind == "calico":
        match = {"methods": ["GET"], "paths": [{"prefix": "/public"}]}
        rule = {"action": "Allow", "protocol": "TCP", "http": match}
        spec: Row = {"selector": "all()", "types": ["Ingress"], "ingress": [rule]}
        version, name = "projectcalico.org/v3", "NetworkPolicy"
    else:
        ports = {"ports": [{"port": "8080", "protocol": "TCP"}]}
        rules = {"http": [{"method": "GET", "path": "/public.*"}]}
        spec = {"endpointSelector": {}, "ingress": [{"toPorts": [{**ports, "rules": rules}]}]}
        version, name = "cilium.io/v2", "CiliumNetworkPolicy"
    return PolicyObject(version, name, "shop", "p", "uid-p", spec, observed_at_ns=observed * SECOND)


def test_a_request_is_told_with_its_ends_and_the_service_that_was_dialled() -> None:
    row = exchanged(user_agent="curl/8", request_id="r", trace_parent="t")
    made = record(row)
    assert made["http"] == {
        "method": "GET", "status": 200, "version": "1.1", "host": "web", "path": "/orders/{id}",
        "user_agent": "curl/8", "request_id": "r", "trace_parent": "t",
    }  # fmt: skip
    assert made["network"] == {"transport": "tcp", "type": "ipv4", "protocol": "http", "direction": "internal"}
    assert (made["source"]["port"], made["destination"]["port"]) == (40000, 8080)
    assert made["destination"]["service"]["name"] == "server"
    assert made["latency"]["mean_us"] == 10
    assert (made["policy"]["verdict"], made["rule"]) == ("none", None)


@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({}, "answered", None),
        ({"status": 404}, "answered", None),
        ({"status": 500}, "error", "status 500"),
        ({"status": 0}, "unanswered", "no answer was seen"),
        ({"protocol": "tls", "status": 0, "method": ""}, "hello", None),
        ({"protocol": "grpc", "status": 200}, "answered", None),
        ({"protocol": "grpc", "status": 0}, "asked", None),
        ({"protocol": "http2", "status": 0}, "asked", None),
    ],
)
def test_the_action_follows_the_answer(facts: Row, action: str, reason: str | None) -> None:
    made = record(exchanged(**facts))
    assert (made["event"]["action"], made["event"]["reason"]) == (action, reason)


def test_a_greeting_is_no_request() -> None:
    hello = {"protocol": "tls", "method": "", "path": "", "status": 0, "host": "api.example", "http_version": ""}
    made = record(exchanged(**hello, tls_version="1.3", tls_alpn=["h2"], tls_ja4="t13"))
    assert made["tls"] == {"server_name": "api.example", "version": "1.3", "alpn": ["h2"], "ja4": "t13"}
    assert made["http"]["host"] == ""


@pytest.mark.parametrize("kind", ["calico", "cilium"])
def test_policies_are_asked_with_method_and_path(kind: str) -> None:
    policy = by_request(kind)
    allowed = record(exchanged(**ALLOWED), policy)
    assert (allowed["policy"]["verdict"], allowed["policy"]["drift"]) == ("allow", False)
    assert allowed["rule"]["name"] == "shop/p"
    served = record(exchanged(**DENIED), policy)
    assert (served["policy"]["verdict"], served["policy"]["drift"]) == ("deny", True)
    assert "went through, though" in served["event"]["reason"]
    assert served["policy"]["denied_by"]


@pytest.mark.parametrize("status", [403, 0])
def test_a_denied_request_that_was_refused_is_no_drift(status: int) -> None:
    made = record(exchanged(**DENIED, status=status), by_request("calico"))
    assert (made["policy"]["verdict"], made["policy"]["drift"]) == ("deny", False)


def of_paths(kind: str, *paths: str) -> PolicyObject:
    """What lets nothing in to ``server`` but requests of whole paths."""
    if kind == "calico":
        match = {"paths": [{"exact": path} for path in paths]}
        spec: Row = {"types": ["Ingress"], "ingress": [{"action": "Allow", "protocol": "TCP", "http": match}]}
        return PolicyObject("projectcalico.org/v3", "NetworkPolicy", "shop", "p", "uid-p", spec)
    rules = {"http": [{"path": path} for path in paths]}
    ports = {"ports": [{"port": "8080", "protocol": "TCP"}], "rules": rules}
    spec = {"endpointSelector": {}, "ingress": [{"toPorts": [ports]}]}
    return PolicyObject("cilium.io/v2", "CiliumNetworkPolicy", "shop", "p", "uid-p", spec)


@pytest.mark.parametrize("kind", ["calico", "cilium"])
def test_a_rule_of_a_whole_path_that_a_folded_one_may_be_leaves_it_open(kind: str) -> None:
    made = record(exchanged(path="/orders/{id}"), of_paths(kind, "/orders/17"))
    assert (made["policy"]["verdict"], made["policy"]["drift"]) == ("unknown", False)
    assert made["event"]["reason"].startswith("ingress not decidable because of ")
    assert made["event"]["reason"].endswith(": of the path only the template is known")


@pytest.mark.parametrize("kind", ["calico", "cilium"])
def test_a_folded_path_that_no_rule_can_mean_is_denied(kind: str) -> None:
    made = record(exchanged(path="/orders/{id}"), of_paths(kind, "/orders", "/orders/new", "/bills/17"))
    assert (made["policy"]["verdict"], made["policy"]["drift"]) == ("deny", True)


@pytest.mark.parametrize("kind", ["calico", "cilium"])
def test_below_a_prefix_a_folded_path_is_decided(kind: str) -> None:
    assert record(exchanged(path="/public/{id}/x"), by_request(kind))["policy"]["verdict"] == "allow"
    assert record(exchanged(path="/orders/{id}"), by_request(kind))["policy"]["verdict"] == "deny"
    assert record(exchanged(path="/{*}"), by_request(kind))["policy"]["verdict"] == "unknown"
    assert record(exchanged(path="/{*}", method="PUT"), by_request(kind))["policy"]["verdict"] == "deny"


@pytest.mark.parametrize("kind", ["calico", "cilium"])
@pytest.mark.parametrize("path", ["f7b3a0d4abf6e071", ""], ids=["hashed", "dropped"])
def test_of_a_path_that_the_agent_does_not_tell_the_method_alone_decides(kind: str, path: str) -> None:
    for policy in (by_request(kind), of_paths(kind, "/public/a")):
        made = record(exchanged(path=path), policy)
        assert (made["policy"]["verdict"], made["policy"]["drift"]) == ("unknown", False)
        assert made["event"]["reason"].endswith(": the path is not told")
    assert record(exchanged(path=path, method="PUT"), by_request(kind))["policy"]["verdict"] == "deny"


@pytest.mark.parametrize("kind", ["calico", "cilium"])
@pytest.mark.parametrize(("method", "path"), [("CONNECT", ""), ("OPTIONS", "*")])
def test_what_has_no_path_by_its_nature_meets_no_rule_of_paths(kind: str, method: str, path: str) -> None:
    made = record(exchanged(method=method, path=path), of_paths(kind, "/public/a"))
    assert (made["policy"]["verdict"], made["policy"]["drift"]) == ("deny", True)


def test_close_to_a_change_of_policies_no_contradiction_is_claimed() -> None:
    made = record(exchanged(**DENIED), by_request("calico", observed=4))
    assert (made["policy"]["verdict"], made["policy"]["drift"]) == ("deny", False)


@pytest.mark.parametrize("kind", ["calico", "cilium"])
def test_a_greeting_is_judged_as_the_connection_that_it_is(kind: str) -> None:
    made = record(exchanged(protocol="tls", method="", path="", status=0), by_request(kind))
    assert made["policy"]["verdict"] == "allow"


def test_what_was_not_shown_is_a_record_of_its_own() -> None:
    of = batch("node1")
    key, made = KIND.cut(Origin("test", of), Cut(7, "7 not understood"))
    decoded = CODEC.decode(CODEC.encode(made))
    assert (key, decoded["count"], decoded["event"]["action"]) == ("node1", 7, "cut")
    assert (decoded["source"]["ip"], decoded["policy"]["verdict"]) == ("", "none")
