"""The local Elasticsearch speaks the languages in which people ask."""

import asyncio
import uuid

import pytest

from schemas.topic import FLOWS
from streams.index.documents import document_of
from tests.support.index import ask, count, index_writer, put_templates
from tests.unit.streams.index.builders import flow

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def pattern(elasticsearch: str) -> str:
    """Of an index with three flows."""
    put_templates(elasticsearch)
    namespace = uuid.uuid4().hex[:10]

    async def index() -> None:
        writer, _ = index_writer(elasticsearch)
        await writer.index([document_of(FLOWS, flow(f"flow-{n}"), namespace) for n in range(3)])
        await writer.close()

    asyncio.run(index())
    assert count(elasticsearch, f"logs-conntrail.flow-{namespace}-*") == 3
    return f"logs-conntrail.flow-{namespace}-*"


def test_esql(elasticsearch: str, pattern: str) -> None:
    query = f'FROM {pattern} | WHERE CIDR_MATCH(source.ip, "10.0.0.0/8") | STATS flows = COUNT(*) BY network.transport'
    found = ask(elasticsearch, "POST", "_query", {"query": query})
    assert ([column["name"] for column in found["columns"]], found["values"]) == (
        ["flows", "network.transport"],
        [[3, "tcp"]],
    )


def test_kql(elasticsearch: str, pattern: str) -> None:
    query = 'source.ip : "10.0.0.0/8" and destination.service.name : we* and not event.action : denied'
    found = ask(elasticsearch, "POST", f"{pattern}/_search", {"query": {"kql": {"query": query}}})
    assert found["hits"]["total"]["value"] == 3
