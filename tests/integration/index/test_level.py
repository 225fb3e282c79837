"""What a worker knows of pairs outlives it, and what was notable and is no more goes."""

import asyncio
import uuid

import pytest
from prometheus_client import CollectorRegistry

from runtime.settings import ElasticsearchSettings
from schemas.topic import FLOWS
from streams.index.counters import IndexCounters
from streams.index.dataset import edge_index
from streams.index.document import Record
from streams.index.documents import document_of
from streams.index.notable.book import EdgeBook
from streams.index.notable.writer import NotableFlows
from streams.index.writer import IndexWriter
from tests.support.index import ask, put_templates, sources
from tests.unit.streams.index.builders import AT_NS, flow

WINDOW_NS = 60 * 10**9
DAY_NS = 86_400 * 10**9
KEPT_NS = 30 * DAY_NS
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def namespace(elasticsearch: str) -> str:
    put_templates(elasticsearch)
    return f"t{uuid.uuid4().hex[:12]}"


class Worker:
    """One life of a worker that indexes notable flows."""

    def __init__(self, host: str, namespace: str, limit: int = 100) -> None:
        self.registry = CollectorRegistry()
        self._counters = IndexCounters(self.registry)
        self._namespace = namespace
        self._index = IndexWriter(ElasticsearchSettings(hosts=host), self._counters)
        self._notable = NotableFlows(self._index, EdgeBook(limit, WINDOW_NS, KEPT_NS), "test", namespace)

    async def take(self, *records: Record) -> None:
        await self._notable.load()
        documents = [document_of(FLOWS, record, self._namespace) for record in records]
        await self._index.index([self._notable.choose(FLOWS, *both) for both in zip(records, documents, strict=True)])
        await self._notable.save()
        self._notable.tell(self._counters)

    async def close(self) -> None:
        await self._index.close()


def indexed(host: str, namespace: str, *lives: list[Record], limit: int = 100) -> list[float]:
    """Each list of records by a worker of its own; how many flows each left out."""

    async def live() -> list[float]:
        left_out = []
        for records in lives:
            worker = Worker(host, namespace, limit)
            await worker.take(*records)
            await worker.close()
            left_out.append(worker.registry.get_sample_value("conntrail_index_left_out_flows_total") or 0.0)
        return left_out

    return asyncio.run(live())


def test_a_pair_that_met_before_a_restart_is_known_after_it(elasticsearch: str, namespace: str) -> None:
    first, again = flow("first"), flow("again", timestamp_ns=AT_NS + 2 * WINDOW_NS)
    assert indexed(elasticsearch, namespace, [first], [first, again]) == [0, 1]
    found = sources(elasticsearch, f"logs-conntrail.flow-{namespace}-*")
    assert [(d["_id"], d["conntrail"]["notable"]) for d in found] == [("first", ["new_edge"])]


def test_a_pair_that_goes_on_meeting_is_known_when_the_day_it_first_met_is_gone(
    elasticsearch: str, namespace: str
) -> None:
    indexed(elasticsearch, namespace, [flow("first")], [flow("again", timestamp_ns=AT_NS + 20 * DAY_NS)])
    ask(elasticsearch, "DELETE", edge_index(namespace, AT_NS))
    assert indexed(elasticsearch, namespace, [flow("later", timestamp_ns=AT_NS + 35 * DAY_NS)]) == [1]


def test_pairs_seen_last_are_remembered_rather_than_those_that_met_last(elasticsearch: str, namespace: str) -> None:
    def to(port: int, days: int) -> Record:
        record = flow(f"{port}-{days}", timestamp_ns=AT_NS + days * DAY_NS)
        record["destination"]["port"] = port
        return record

    indexed(elasticsearch, namespace, [to(80, 0), to(81, 1), to(82, 2), to(80, 20)])
    assert indexed(elasticsearch, namespace, [to(80, 21), to(81, 21)], limit=1) == [1]


def test_a_flow_that_is_not_notable_in_a_later_revision_is_there_no_more(elasticsearch: str, namespace: str) -> None:
    later_ns = AT_NS + 2 * WINDOW_NS
    denied = flow("one", revision=1, timestamp_ns=later_ns)
    denied["event"]["action"] = "denied"
    allowed = flow("one", revision=2, replaces=True, timestamp_ns=later_ns)
    assert indexed(elasticsearch, namespace, [flow("met"), denied], [allowed]) == [0, 1]
    found = sources(elasticsearch, f"logs-conntrail.flow-{namespace}-*")
    assert [d["_id"] for d in found] == ["met"]
