"""What pages for people ask is answered right where the lab does not happen to show it."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from schemas.topic import FLOWS, NODES, WINDOWS, Topic
from streams.index.documents import document_of
from tests.support.cookbook import Elasticsearch, questions
from tests.support.history import inside, seen_flow, seen_window
from tests.support.index import ask, index_writer, put_templates
from tests.support.kibana.objects import panels
from tests.support.kibana.vega import SIZES, answered, drawn
from tests.support.kql.parser import Kql
from tests.unit.streams.index.builders import node_status

pytestmark = pytest.mark.timeout(300)
_TRIED_ALLOWS = "StagedNetworkPolicy:shop/tried:rule=0:allow"
_TRIED_DENIES = "StagedNetworkPolicy:shop/tried:rule=-1:deny"
_OTHER_DENIES = "StagedNetworkPolicy:web/other:rule=-1:deny"
"""Sorts after the other: Elasticsearch gives the values of a field sorted."""


@pytest.fixture
def namespace(elasticsearch: str) -> str:
    put_templates(elasticsearch)
    return f"p{uuid.uuid4().hex[:12]}"


def keep(host: str, namespace: str, *told: tuple[Topic, dict[str, Any]]) -> None:
    """Index and show."""
    documents = [document_of(topic, record, namespace) for topic, record in told]

    async def index() -> None:
        writer, _ = index_writer(host)
        try:
            assert not list((await writer.index(documents)).refused)
        finally:
            await writer.close()

    asyncio.run(index())
    Elasticsearch(host, namespace).refresh()


def answer(host: str, namespace: str, title: str) -> list[dict[str, Any]]:
    (question,) = [question for question in questions() if question.title == title]
    return Elasticsearch(host, namespace).ask(question).rows


def test_a_node_of_which_no_flow_tells_is_not_silent(elasticsearch: str, namespace: str) -> None:
    client, server = (inside("web", "web-1"), "10.0.0.1"), (inside("db", "db-1"), "10.0.0.2")
    statuses = [(NODES, node_status(node=node)) for node in ("node1", "node2")]
    keep(elasticsearch, namespace, (FLOWS, seen_flow("a", client, server, 80, cluster="test")), *statuses)
    found = answer(elasticsearch, namespace, "Which nodes have gone silent?")
    assert {row["observer.name"] for row in found} == {"node1", "node2"}


def test_tiles_of_nodes_count_what_nodes_told(elasticsearch: str, namespace: str) -> None:
    told = [node_status(node="node1", coverage="complete"), node_status(node="node2", coverage="blind")]
    keep(elasticsearch, namespace, *((NODES, status) for status in told))
    index = f"metrics-conntrail.node-{namespace}-*"
    tiles = [panel for panel in panels() if panel.kind == "lens" and panel.view == "conntrail-node"]
    texts = sorted({text for tile in tiles for text in tile.layer().texts()})
    queries = Kql.of(elasticsearch, index).queries(texts)
    kql = {text: query.dsl for text, query in zip(texts, queries, strict=True)}
    shown = {}
    for tile in tiles:
        answered_by = ask(
            elasticsearch, "POST", f"{index}/_search", {"size": 0, "aggs": tile.layer().aggregations(kql)}
        )
        shown[tile.title] = [list(row.values()) for row in tile.layer().rows(answered_by["aggregations"])]
    assert shown["conntrail-pipeline: Nodes"] == [[2]]
    assert shown["conntrail-pipeline: Fully seen"] == [[0.5]]
    reports = {name: counts for name, *counts, _ in shown["conntrail-pipeline: When did each node last report?"]}
    assert reports == {"node1": [1, 0], "node2": [1, 1]}


def test_what_another_staged_policy_would_stop_is_none_of_this_ones(elasticsearch: str, namespace: str) -> None:
    def pair(source: str, started: int, pending: Sequence[str]) -> tuple[Topic, dict[str, Any]]:
        record = seen_window(source, inside(source), inside("db"), 80, cluster="test", started=started)
        record["policy"] = {**record["policy"], "pending": list(pending)}
        return WINDOWS, record

    keep(
        elasticsearch,
        namespace,
        pair("spared", 1, [_TRIED_ALLOWS, _OTHER_DENIES]),
        pair("hit", 2, [_TRIED_DENIES]),
        pair("beside", 4, [_OTHER_DENIES, _TRIED_DENIES]),
        pair("twice", 8, [_TRIED_DENIES, "StagedNetworkPolicy:shop/tried:rule=1:deny"]),
    )
    found = answer(elasticsearch, namespace, "What would break if this policy were enforced?")
    assert {row["source.kubernetes.workload.name"]: row["connections"] for row in found} == {
        "hit": 2, "beside": 4, "twice": 8,
    }  # fmt: skip


@pytest.mark.parametrize("number", [3, 1100])
def test_where_not_all_edges_are_drawn_that_is_said(elasticsearch: str, namespace: str, number: int) -> None:
    server = inside("server", namespace="a0")
    clients = [inside("client", namespace=f"a{n}") for n in range(number)]
    windows = [seen_window(f"w{n}", client, server, 80, cluster="test") for n, client in enumerate(clients)]
    keep(elasticsearch, namespace, *((WINDOWS, window) for window in windows))

    def found(index: str, body: dict[str, Any]) -> dict[str, Any]:
        return ask(elasticsearch, "POST", f"{index.removesuffix('*')}{namespace}-*/_search", body)

    for panel in panels():
        if panel.vega is not None:
            text = drawn(answered(panel.vega, found), *SIZES[panel.page])
            assert ("The first 1,000" in text) is (number > 1000), panel.title
