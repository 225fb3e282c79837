"""One filter by workload finds what it said, what happened to it and who did it, in a real Elasticsearch."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest

from schemas.topic import CHANGES, FLOWS, KUBERNETES_AUDIT, KUBERNETES_EVENTS, WINDOWS
from streams.index.document import Document
from streams.index.documents import document_of
from streams.index.writer import Outcome
from tests.support.index import ask, index_writer, put_templates, sources
from tests.unit.streams.index.builders import flow, window
from tests.unit.streams.index.cluster_builders import audit_event, change, kubernetes_event


@pytest.fixture
def namespace(elasticsearch: str) -> str:
    put_templates(elasticsearch)
    return uuid.uuid4().hex[:10]


def _index(host: str, documents: Sequence[Document]) -> Outcome:
    async def run() -> Outcome:
        writer, _ = index_writer(host)
        try:
            return await writer.index(documents)
        finally:
            await writer.close()

    return asyncio.run(asyncio.wait_for(run(), 120))


def _count(host: str, namespace: str, query: str) -> dict[str, int]:
    """Hits by dataset."""
    pattern = f"*-conntrail.*-{namespace}-*"
    ask(host, "POST", f"{pattern}/_refresh")
    body = {
        "size": 0,
        "query": {"query_string": {"query": query}},
        "aggs": {"datasets": {"terms": {"field": "event.dataset"}}},
    }
    buckets = ask(host, "POST", f"{pattern}/_search", body)["aggregations"]["datasets"]["buckets"]
    return {bucket["key"]: bucket["doc_count"] for bucket in buckets}


def test_one_filter_finds_all_that_concerns_a_workload(elasticsearch: str, namespace: str) -> None:
    records = [
        (FLOWS, flow()),
        (WINDOWS, window()),
        (KUBERNETES_EVENTS, kubernetes_event()),
        (KUBERNETES_EVENTS, kubernetes_event(uid="other", workloads=["shop/other"], workload_name="other")),
        (KUBERNETES_AUDIT, audit_event()),
        (KUBERNETES_AUDIT, audit_event(audit_id="other", workloads=[], source_addresses=[])),
        (CHANGES, change()),
    ]
    outcome = _index(elasticsearch, [document_of(topic, record, namespace) for topic, record in records])
    assert (outcome.indexed, list(outcome.refused)) == (7, [])
    found = _count(elasticsearch, namespace, 'related.workloads:"shop/web"')
    assert found == {"conntrail.flow": 1, "conntrail.event": 2, "conntrail.audit": 1}
    assert _count(elasticsearch, namespace, 'related.workloads:"shop/client"') == {
        "conntrail.flow": 1,
        "conntrail.window": 1,
    }
    assert _count(elasticsearch, namespace, "user.name:jane AND source.ip:192.0.2.7") == {"conntrail.audit": 1}
    assert _count(elasticsearch, namespace, "event.action:scaled AND user.name:jane") == {"conntrail.event": 1}
    assert _count(elasticsearch, namespace, "orchestrator.resource.type:networkpolicy") == {"conntrail.audit": 2}


def test_what_is_told_again_is_there_once_in_its_last_state(elasticsearch: str, namespace: str) -> None:
    told = [
        (KUBERNETES_EVENTS, kubernetes_event(count=2)),
        (KUBERNETES_EVENTS, kubernetes_event(count=7)),
        (KUBERNETES_EVENTS, kubernetes_event(count=2)),
        (CHANGES, change(by="", by_at_ns=0)),
        (CHANGES, change()),
        (CHANGES, change(by="", by_at_ns=0)),
        (KUBERNETES_AUDIT, audit_event(workloads=[])),
        (KUBERNETES_AUDIT, audit_event()),
        (KUBERNETES_AUDIT, audit_event(workloads=[])),
    ]
    for topic, record in told:
        assert list(_index(elasticsearch, [document_of(topic, record, namespace)]).refused) == []
    events = sources(elasticsearch, f"logs-conntrail.event-{namespace}-*")
    changes = [(one["user"]["name"], one["change"]) for one in events if "change" in one]
    assert changes == [("jane", {"from": "1 replicas", "to": "3 replicas"})]
    assert [one["kubernetes"]["event"]["count"] for one in events if "change" not in one] == [7]
    (audit,) = sources(elasticsearch, f"logs-conntrail.audit-{namespace}-*")
    assert audit["related"]["workloads"] == ["shop/web"]
