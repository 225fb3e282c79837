"""Every saved search finds what it says, and what it finds is what happened."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any, Final

import pytest

from conntrail.observe.condition import values_at
from conntrail.setup.kibana.reader import read_source
from schemas.topic import FLOWS
from streams.index.documents import document_of
from tests.support.eventful import UNUSABLE, USER
from tests.support.history import inside, seen_flow
from tests.support.index import ask, index_writer
from tests.support.kibana.asked import Asked
from tests.support.kibana.objects import of_kind, source_of
from tests.support.observed import Document, Observed, is_root
from tests.support.truth import first

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
SEARCHES = {search["id"].removeprefix("conntrail-"): search for search in of_kind("search")}
UNNAMED: Final = ("192.0.2.10", "2001:db8:ffff::10")
REPEATED_NS: Final = 900_000_000
"""A first packet is sent again after a second (RFC 6298, 2.1)."""
Says = Callable[[Document], bool]


def number(document: Document, path: str) -> float:
    return float(first(document, path) or 0)


def code(document: Document) -> Any:
    return first(document, "dns.response_code")


SAYS: dict[str, Says] = {
    "flow-all": lambda _: True,
    "flow-denied": lambda d: first(d, "event.action") == "denied",
    "flow-failed": lambda d: first(d, "event.action") == "failed",
    "flow-drift": lambda d: first(d, "policy.drift") is True,
    "flow-pending": lambda d: (
        first(d, "event.action") == "allowed" and any(p.endswith(":deny") for p in values_at(d, "policy.pending"))
    ),
    "flow-unprotected": lambda d: first(d, "policy.verdict") == "none" and first(d, "network.direction") == "internal",
    "flow-outside": lambda d: first(d, "network.direction") != "internal",
    "flow-outside-unnamed": lambda d: first(d, "destination.unnamed") is True,
    "flow-retransmits": lambda d: number(d, "tcp.retransmits") > 0,
    "dns-errors": lambda d: code(d) not in (None, "NOERROR", "NXDOMAIN"),
    "dns-unknown": lambda d: code(d) == "NXDOMAIN",
    "dns-slow": lambda d: number(d, "conntrail.latency.max_us") > 50_000,
    "http-errors": lambda d: (
        first(d, "network.protocol") == "http"
        and (number(d, "http.response.status_code") >= 400 or first(d, "event.action") == "unanswered")
    ),
    "http-slow": lambda d: first(d, "network.protocol") == "http" and number(d, "conntrail.latency.max_us") > 100_000,
    "tls-hellos": lambda d: first(d, "network.protocol") == "tls",
    "alerts-open": lambda d: first(d, "alert.status") != "resolved",
    "alerts-all": lambda _: True,
    "events": lambda d: bool(list(values_at(d, "related.workloads"))),
    "audit": lambda _: True,
    "coverage": lambda d: first(d, "flow.coverage") != "complete",
    "deadletters": lambda _: True,
}
EMPTY = {"coverage"}
"""The lab has no interval that is sure not to be seen whole."""


def found(asked: Asked, name: str) -> list[Document]:
    return [hit["_source"] for hit in asked.hits(SEARCHES[name])]


def test_none_is_forgotten() -> None:
    assert SAYS.keys() == SEARCHES.keys()


@pytest.mark.parametrize("name", SAYS)
def test_a_search_finds_the_documents_that_it_says_and_no_others(asked: Asked, name: str) -> None:
    everything = asked.documents(SEARCHES[name]["references"][0]["id"])
    wanted = {hit["_id"] for hit in everything if SAYS[name](hit["_source"])}
    assert {hit["_id"] for hit in asked.hits(SEARCHES[name])} == wanted
    assert wanted or name in EMPTY


def test_what_was_not_fully_seen_is_found(asked: Asked) -> None:
    namespace = f"k{uuid.uuid4().hex[:10]}"
    client = inside("web", "web-1")
    flows = [seen_flow(name, (client, "10.0.0.1"), (client, "10.0.0.2"), 80, cluster="lab") for name in ("a", "b")]
    flows[0]["flow"]["coverage"] = "lossy"
    documents = [document_of(FLOWS, record, namespace) for record in flows]

    async def index() -> None:
        writer, _ = index_writer(asked.host)
        try:
            assert not list((await writer.index(documents)).refused)
        finally:
            await writer.close()

    asyncio.run(index())
    pattern = f"logs-conntrail.flow-{namespace}-*"
    ask(asked.host, "POST", f"{pattern}/_refresh")
    query = asked.translated["conntrail-flow"][source_of(SEARCHES["coverage"])["query"]["query"]]
    assert ask(asked.host, "POST", f"{pattern}/_count", {"query": query})["count"] == 1


def ends(document: Document) -> tuple[Any, ...]:
    """Client and what it dialled."""
    address = first(document, "destination.service.ip") or first(document, "destination.ip")
    port = first(document, "destination.service.port") or first(document, "destination.port")
    return first(document, "source.ip"), first(document, "source.port"), address, port


def facts(eventful: Observed, is_wanted: Says) -> set[tuple[Any, ...]]:
    return {
        (fact["source_address"], fact["source_port"], fact["dialled_address"], fact["dialled_port"])
        for fact in eventful.truth()
        if fact["protocol"] in ("tcp", "udp") and is_wanted(fact)
    }


def test_drift_is_what_was_answered_though_denied(asked: Asked, eventful: Observed) -> None:
    wanted = facts(eventful, lambda fact: fact["expected"] == "denied" and fact["outcome"] == "answered")
    assert set(map(ends, found(asked, "flow-drift"))) == wanted != set()


def test_denied_is_what_no_policy_let_through_and_failed_what_was_refused(asked: Asked, eventful: Observed) -> None:
    denied = facts(eventful, lambda fact: fact["expected"] != "refused" and fact["outcome"] != "answered")
    # While a policy goes, a connection's first packet is denied and a later one, sent after a second, is not.
    repeated = facts(eventful, lambda fact: fact["ended_at_ns"] - fact["started_at_ns"] > REPEATED_NS)
    told = set(map(ends, found(asked, "flow-denied")))
    assert denied <= told <= denied | repeated
    assert denied
    refused = facts(eventful, lambda fact: fact["expected"] == "refused")
    assert set(map(ends, found(asked, "flow-failed"))) == refused != set()


def test_outside_without_a_name_is_what_was_dialled_by_its_address(asked: Asked) -> None:
    assert {first(document, "destination.ip") for document in found(asked, "flow-outside-unnamed")} == set(UNNAMED)


def test_dns_and_http_errors_are_those_that_the_programs_saw(asked: Asked, eventful: Observed) -> None:
    exchanges = eventful.lab.exchanges()
    names = {fact["name"] for fact in exchanges if fact.get("code") in ("SERVFAIL", "TIMEOUT")}
    assert {first(document, "dns.question.name") for document in found(asked, "dns-errors")} == names != set()
    routes = {
        (fact["template"].replace("{uuid}", "{id}"), fact["status"])
        for fact in exchanges
        if fact.get("status", 0) >= 400
    }
    shown = {
        (first(document, "url.path"), first(document, "http.response.status_code"))
        for document in found(asked, "http-errors")
    }
    assert shown == routes != set()


def test_the_life_of_a_workload_has_its_event_its_changes_and_who_made_them(asked: Asked) -> None:
    events = [document for document in found(asked, "events") if "shop/payment" in document["related"]["workloads"]]
    assert {first(document, "event.provider") for document in events} == {"kubernetes", "conntrail"}
    assert "Readiness probe failed" in {document["message"] for document in events}
    changes = [document for document in events if first(document, "orchestrator.resource.name") == "closed"]
    assert {first(document, "user.name") for document in changes} == {USER}
    audit = [one for one in found(asked, "audit") if first(one, "orchestrator.resource.name") == "closed"]
    assert {first(document, "event.action") for document in audit} == {"create", "delete"}
    assert all("shop/payment" in document["related"]["workloads"] for document in audit)


def test_the_break_is_among_the_alerts_and_the_dead_letter_is_kept(asked: Asked) -> None:
    breaks = [d for d in found(asked, "alerts-all") if first(d, "rule.name") == "communication-break"]
    assert {"NetworkPolicy:shop/closed:rule=-1:deny"} <= {p for d in breaks for p in values_at(d, "alert.policies")}
    (letter,) = found(asked, "deadletters")
    assert letter["deadletter"]["size_bytes"] == len(UNUSABLE)


def test_example_rules_find_something(asked: Asked) -> None:
    for rule in read_source().rules:
        kql = asked.translate(f"conntrail-{rule.view}", [rule.query])[rule.query]
        index = asked.index(f"conntrail-{rule.view}")
        assert ask(asked.host, "POST", f"{index}/_count", {"query": kql})["count"] > 0, json.dumps(kql)
