"""Documents reach a real Elasticsearch once, whatever is repeated, late, refused or away."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence

import pytest

from schemas.topic import FLOWS, WINDOWS
from streams.errors import WriteError
from streams.index.document import Document
from streams.index.documents import document_of
from streams.index.writer import Outcome
from tests.support.index import ask, count, index_writer, put_templates, sources
from tests.support.stack import RunningStack, running_stack
from tests.unit.streams.index.builders import AT_NS, flow, window

_DEADLINE_SECONDS = 120.0


@pytest.fixture
def namespace(elasticsearch: str) -> str:
    put_templates(elasticsearch)
    return uuid.uuid4().hex[:10]


def _index(host: str, *batches: Sequence[Document]) -> list[Outcome]:
    """Index batches one after the other through one writer."""

    async def run() -> list[Outcome]:
        writer, _ = index_writer(host)
        try:
            return [await writer.index(batch) for batch in batches]
        finally:
            await writer.close()

    return asyncio.run(asyncio.wait_for(run(), _DEADLINE_SECONDS))


def _flows(namespace: str, number: int, revision: int = 1) -> list[Document]:
    return [document_of(FLOWS, flow(f"flow-{n}", revision), namespace) for n in range(number)]


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_the_same_documents_twice_are_there_once(elasticsearch: str, namespace: str) -> None:
    batch = _flows(namespace, 300)
    first, again = _index(elasticsearch, batch, batch)
    assert (first.indexed, first.duplicates) == (300, 0)
    assert (again.indexed, again.duplicates) == (0, 300)
    assert count(elasticsearch, f"logs-conntrail.flow-{namespace}-*") == 300


def test_a_higher_revision_replaces_and_a_lower_does_not(elasticsearch: str, namespace: str) -> None:
    def revision(number: int, bytes_: int) -> Document:
        record = window(revision=number)
        record["network"]["bytes"] = bytes_
        return document_of(WINDOWS, record, namespace)

    _index(elasticsearch, [revision(2, 20)], [revision(3, 30)], [revision(1, 10)])
    found = sources(elasticsearch, f"metrics-conntrail.window-{namespace}-*")
    assert [(document["network"]["bytes"], document["_version"]) for document in found] == [(30, 3)]


def test_revisions_of_one_document_in_one_call_leave_the_highest(elasticsearch: str, namespace: str) -> None:
    batch = [document_of(FLOWS, flow(revision=number), namespace) for number in (2, 5, 3)]
    (outcome,) = _index(elasticsearch, batch)
    assert (outcome.indexed, outcome.duplicates) == (2, 1)
    assert [d["_version"] for d in sources(elasticsearch, f"logs-conntrail.flow-{namespace}-*")] == [5]


def test_what_a_replacing_revision_no_longer_says_is_removed(elasticsearch: str, namespace: str) -> None:
    before = [document_of(FLOWS, flow(name, 1), namespace) for name in ("kept", "gone")]
    after = [document_of(FLOWS, flow("kept", 2, replaces=True), namespace)]
    _index(elasticsearch, before, after)
    found = sources(elasticsearch, f"logs-conntrail.flow-{namespace}-*")
    assert [(document["_id"], document["_version"]) for document in found] == [("kept", 2)]


def test_a_stale_document_that_another_worker_brings_late_is_removed(elasticsearch: str, namespace: str) -> None:
    _index(elasticsearch, [document_of(FLOWS, flow("kept", 2, replaces=True), namespace)])
    _index(elasticsearch, [document_of(FLOWS, flow("gone", 1), namespace)])
    assert [d["_id"] for d in sources(elasticsearch, f"logs-conntrail.flow-{namespace}-*")] == ["kept"]


def test_other_spans_and_partitions_are_left_when_one_is_replaced(elasticsearch: str, namespace: str) -> None:
    other_span = flow("other-span", 1, timestamp_ns=AT_NS + 10_000_000_000)
    other_partition = {**flow("other-partition", 1), "partition": 4}
    other_cluster = {**flow("other-cluster", 1), "cluster": "other"}
    others = [document_of(FLOWS, record, namespace) for record in (other_span, other_partition, other_cluster)]
    _index(elasticsearch, others, [document_of(FLOWS, flow("new", 2, replaces=True), namespace)])
    found = {document["_id"] for document in sources(elasticsearch, f"logs-conntrail.flow-{namespace}-*")}
    assert found == {"other-span", "other-partition", "other-cluster", "new"}


def test_a_refused_document_comes_back_with_its_reason_and_the_others_go_in(elasticsearch: str, namespace: str) -> None:
    bad = flow("bad")
    bad["source"]["ip"] = "no address"
    batch = [*_flows(namespace, 2), document_of(FLOWS, bad, namespace)]
    (outcome,) = _index(elasticsearch, batch)
    assert outcome.indexed == 2
    ((number, reason),) = outcome.refused
    assert number == 2
    assert "source.ip" in reason
    assert "no address" in reason


def test_without_templates_nothing_is_made_and_the_error_says_what_to_run(elasticsearch: str, namespace: str) -> None:
    ask(elasticsearch, "DELETE", "_index_template/logs-conntrail.flow")
    try:
        with pytest.raises(WriteError, match="run conntrail setup"):
            _index(elasticsearch, _flows(namespace, 1))
        assert ask(elasticsearch, "GET", f"_resolve/index/logs-conntrail.flow-{namespace}*")["indices"] == []
    finally:
        put_templates(elasticsearch)


def test_an_index_removed_meanwhile_is_made_again(elasticsearch: str, namespace: str) -> None:
    async def run() -> None:
        writer, _ = index_writer(elasticsearch)
        await writer.index(_flows(namespace, 1))
        ask(elasticsearch, "DELETE", f"logs-conntrail.flow-{namespace}-2026.11.23")
        await writer.index(_flows(namespace, 2))
        await writer.close()

    asyncio.run(asyncio.wait_for(run(), _DEADLINE_SECONDS))
    assert count(elasticsearch, f"logs-conntrail.flow-{namespace}-*") == 2


def test_nothing_is_lost_while_elasticsearch_is_killed_and_started(stack: RunningStack, namespace: str) -> None:
    async def run() -> int:
        writer, registry = index_writer(stack.elasticsearch)

        def retries() -> float:
            samples = (sample for metric in registry.collect() for sample in metric.samples)
            return sum(sample.value for sample in samples if sample.name == "conntrail_index_retries_total")

        indexed = 0
        for number in range(8):
            batch = [document_of(FLOWS, flow(f"flow-{number}-{n}"), namespace) for n in range(250)]
            if number == 3:
                await asyncio.to_thread(stack.stop, "elasticsearch", is_killed=True)
            task = asyncio.create_task(writer.index(batch))
            if number == 3:
                await _until(lambda: retries() > 0)
                await asyncio.to_thread(stack.start, "elasticsearch")
            outcome = await task
            indexed += outcome.indexed + outcome.duplicates
        await writer.close()
        return indexed

    assert asyncio.run(asyncio.wait_for(run(), _DEADLINE_SECONDS)) == 2000
    assert count(stack.elasticsearch, f"logs-conntrail.flow-{namespace}-*") == 2000


def test_a_node_that_refuses_by_indexing_pressure_gets_everything_in_the_end() -> None:
    # A request of a mebibyte is above this limit, so only splitting it can succeed.
    with running_stack({"indexing_pressure.memory.limit": "200kb"}) as small:
        put_templates(small.elasticsearch)

        async def run() -> tuple[Outcome, float]:
            writer, registry = index_writer(small.elasticsearch)
            outcome = await writer.index(_flows("small", 600))
            await writer.close()
            return outcome, registry.get_sample_value("conntrail_index_retries_total", {"reason": "429"}) or 0.0

        outcome, refusals = asyncio.run(asyncio.wait_for(run(), _DEADLINE_SECONDS))
        assert outcome.indexed == 600
        assert refusals > 0
        assert count(small.elasticsearch, "logs-conntrail.flow-small-*") == 600
