"""DNS and application exchanges from real topics to documents: each counted once, also by a worker that was killed."""

import time
from pathlib import Path
from typing import Any

import pytest

from schemas.topic import DEAD_LETTER, DNS_RAW, L7_RAW
from tests.support.kubernetes_agent import await_that
from tests.support.parts import SECOND, dns_exchange, l7_exchange
from tests.support.pipeline import WORKER, Pipeline
from tests.support.stack import RunningStack

DNS_DOCUMENTS, L7_DOCUMENTS = "logs-conntrail.dns", "logs-conntrail.l7"
FAMILIES = (("10.0.1.7", "10.0.2.8"), ("fd00:1::7", "fd00:2::8"))
Document = dict[str, Any]


@pytest.fixture
def pipeline(stack: RunningStack, tmp_path: Path) -> Pipeline:
    """With a client on node1 and a server on node2, of both families."""
    made = Pipeline(stack, tmp_path)
    made.add_pod("client", *(client for client, _ in FAMILIES), node="node1")
    made.add_pod("server", *(server for _, server in FAMILIES), node="node2")
    return made


def asked(client: str, server: str, name: str, **facts: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "client_address": client, "server_address": server, "dialled_address": server, "server_port": 53,
        "dialled_port": 53, "protocol": 17, "name": name, "type": "A", "response_code": "NOERROR", "count": 4,
        "answers": ["203.0.113.9"], "latency_us": [300], "timed": 1, "latency_sum_us": 300, "latency_max_us": 300,
        **facts,
    }  # fmt: skip
    return dns_exchange(**values)


def requested(client: str, server: str, **facts: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "client_address": client, "client_port": 40000, "server_address": server, "dialled_address": server,
        "server_port": 8080, "dialled_port": 8080, "protocol": "http", "method": "GET", "host": "web", "path": "/x",
        "status": 200, "count": 2, "latency_us": [900], "timed": 1, "latency_sum_us": 900, "latency_max_us": 900,
        **facts,
    }  # fmt: skip
    return l7_exchange(**values)


def named(name: str) -> Any:
    return lambda document: document.get("dns", {}).get("question", {}).get("name") == name


def now() -> int:
    return time.time_ns() // SECOND


def test_what_both_nodes_saw_is_one_document_with_its_ends_and_what_was_cut_is_another(pipeline: Pipeline) -> None:
    with pipeline.running() as system:
        end = now()
        for number, (client, server) in enumerate(FAMILIES):
            row = asked(client, server, f"name{number}.example")
            for node in ("node2", "node1"):
                lost = {"dns_cut": 40} if (number, node) == (0, "node1") else {}
                pipeline.send_exchanges(DNS_RAW, node, end, [row], lost=lost)
                pipeline.send_exchanges(L7_RAW, node, end, [requested(client, server)])
        for number, (client, server) in enumerate(FAMILIES):
            found = pipeline.await_document(DNS_DOCUMENTS, named(f"name{number}.example"))
            assert (found["source"]["ip"], found["destination"]["ip"]) == (client, server)
            assert found["source"]["kubernetes"]["pod"]["name"] == "client"
            assert found["destination"]["kubernetes"]["node"]["name"] == "node2"
            assert (found["observer"]["name"], found["conntrail"]["count"]) == ("node1", 4)
            assert (found["event"]["action"], found["event"]["duration"]) == ("answered", 300_000)
            exchange = pipeline.await_document(L7_DOCUMENTS, lambda one, of=client: one["source"].get("ip") == of)
            assert (exchange["http"]["response"]["status_code"], exchange["url"]["path"]) == (200, "/x")
            assert (exchange["observer"]["name"], exchange["policy"]["verdict"]) == ("node1", "none")
        cut = pipeline.await_document(DNS_DOCUMENTS, lambda one: one["event"]["action"] == "cut")
        assert (cut["conntrail"]["count"], cut["event"]["reason"]) == (40, "40 over the node's rate limit")
        assert len(pipeline.documents(DNS_DOCUMENTS)) == 3
        assert len(pipeline.documents(L7_DOCUMENTS)) == 2
        assert 'conntrail_worker_exchange_echoes_total{kind="dns"} 8.0' in system.metrics_of(WORKER)


def test_a_killed_worker_goes_on_with_the_same_documents(pipeline: Pipeline) -> None:
    client, server = FAMILIES[0]
    with pipeline.running() as system:
        end = now()
        first = pipeline.send_exchanges(DNS_RAW, "node1", end, [asked(client, server, "first.example")])
        counted = pipeline.await_document(DNS_DOCUMENTS, named("first.example"))
        system.kill(WORKER)
        # What is given back already still says that node1 reported: the echo is not counted.
        own = asked("203.0.113.7", server, "own.example")
        pipeline.send_exchanges(DNS_RAW, "node2", end, [asked(client, server, "first.example"), own])
        system.start_child(pipeline.plan().worker(WORKER))
        pipeline.await_document(DNS_DOCUMENTS, named("own.example"))
        system.kill(WORKER)
        pipeline.send_bytes(DNS_RAW, first)
        pipeline.send_exchanges(DNS_RAW, "node1", now(), [asked(client, server, "last.example")])
        system.start_child(pipeline.plan().worker(WORKER))
        pipeline.await_document(DNS_DOCUMENTS, named("last.example"))
        documents = {one["dns"]["question"]["name"]: one for one in pipeline.documents(DNS_DOCUMENTS)}
        assert sorted(documents) == ["first.example", "last.example", "own.example"]
        assert len(pipeline.documents(DNS_DOCUMENTS)) == 3
        assert documents["first.example"] == counted


def test_whenever_a_worker_is_killed_every_exchange_is_counted_once(pipeline: Pipeline) -> None:
    client, server = FAMILIES[1]
    names = [f"round{number}.example" for number in range(12)]
    with pipeline.running() as system:
        for number, name in enumerate(names):
            row, end = asked(client, server, name), now()
            for node in ("node2", "node1") if number % 2 else ("node1", "node2"):
                pipeline.send_exchanges(DNS_RAW, node, end, [row])
            if number % 3 == 2:  # with the last rounds held, emitted or given back, as it happens
                system.kill(WORKER)
                system.start_child(pipeline.plan().worker(WORKER))
        for name in names:
            pipeline.await_document(DNS_DOCUMENTS, named(name))
        pipeline.send_exchanges(DNS_RAW, "node1", now(), [asked(client, server, "last.example")])
        pipeline.await_document(DNS_DOCUMENTS, named("last.example"))
        documents = pipeline.documents(DNS_DOCUMENTS)
        assert sorted(one["dns"]["question"]["name"] for one in documents) == sorted([*names, "last.example"])
        assert {one["observer"]["name"] for one in documents} == {"node1"}


def test_a_bad_message_is_a_dead_letter_and_the_rest_goes_on(pipeline: Pipeline) -> None:
    client, server = FAMILIES[1]
    with pipeline.running():
        for topic in (DNS_RAW, L7_RAW):
            pipeline.send_bytes(topic, b"no container")
        pipeline.send_exchanges(L7_RAW, "node1", now(), [requested(client, server, path="/after")])
        pipeline.await_document(L7_DOCUMENTS, lambda one: one["url"]["path"] == "/after")
        await_that(lambda: len(pipeline.values(DEAD_LETTER)) == 2, "each is a dead letter")
        letter = pipeline.await_document("logs-conntrail.deadletter", lambda _: True)
        assert letter["deadletter"]["stage"] == "exchanges"


def test_requests_are_held_against_the_policies_that_ask_for_them(pipeline: Pipeline) -> None:
    match = {"methods": ["GET"], "paths": [{"prefix": "/public"}]}
    policy = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "NetworkPolicy",
        "metadata": {"name": "requests", "namespace": "default", "uid": "uid-requests",
                     "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"selector": "all()", "types": ["Ingress"],
                 "ingress": [{"action": "Allow", "protocol": "TCP", "http": match}]},
    }  # fmt: skip
    pipeline.add_manifest("requests", policy)
    client, server = FAMILIES[0]
    with pipeline.running():
        rows = [requested(client, server, path=path) for path in ("/public/a", "/private")]
        pipeline.send_exchanges(L7_RAW, "node1", now(), rows)
        found = {
            path: pipeline.await_document(L7_DOCUMENTS, lambda one, of=path: one["url"]["path"] == of)["policy"]
            for path in ("/public/a", "/private")
        }
        assert {path: (of["verdict"], of["drift"]) for path, of in found.items()} == {
            "/public/a": ("allow", False),
            "/private": ("deny", True),
        }


def test_queries_are_held_against_the_policies_that_ask_for_names(pipeline: Pipeline) -> None:
    ports = {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": "*.inside.example"}]}}
    policy = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "names", "namespace": "default", "uid": "uid-names",
                     "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"endpointSelector": {}, "egress": [{"toPorts": [ports]}]},
    }  # fmt: skip
    pipeline.add_manifest("names", policy)
    client, server = FAMILIES[1]
    codes = {"a.inside.example": "NOERROR", "refused.example": "REFUSED", "leaked.example": "NOERROR"}
    with pipeline.running():
        rows = [asked(client, server, name, response_code=code) for name, code in codes.items()]
        pipeline.send_exchanges(DNS_RAW, "node1", now(), rows)
        found = {name: pipeline.await_document(DNS_DOCUMENTS, named(name)) for name in codes}
    assert {name: (of["policy"]["verdict"], of["policy"]["drift"]) for name, of in found.items()} == {
        "a.inside.example": ("allow", False),
        "refused.example": ("deny", False),
        "leaked.example": ("deny", True),
    }
    assert found["a.inside.example"]["rule"]["name"] == "default/names"
    denial = "egress isolated by CiliumNetworkPolicy default/names, none of whose rules allows it"
    assert found["refused.example"]["event"]["reason"] == f"REFUSED from {server}; {denial}"
