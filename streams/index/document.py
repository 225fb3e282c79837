"""A document, where it belongs and which revision it is; and what every document begins with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.index.dataset import Dataset, iso_time, span_index

Record = Mapping[str, Any]
Body = dict[str, Any]
ECS_VERSION = "8.17.0"


@dataclass(frozen=True, slots=True)
class Span:
    """The emission that a document belongs to: one partition, one time span, one revision."""

    index: str
    """Where the latest revision of the span is remembered."""
    id: str
    target: str
    """The documents' index."""
    cluster: str
    partition: int
    timestamp: str
    revision: int
    replaces: bool
    """Documents of lower revisions may have been emitted, and are stale."""


@dataclass(frozen=True, slots=True)
class Document:
    """What to index, where, and in which revision."""

    index: str
    id: str
    version: int
    body: Body
    span: Span | None = None


def head(dataset: Dataset, namespace: str, timestamp_ns: int, cluster: str, kind: str) -> Body:
    """What every document begins with."""
    return {
        "@timestamp": iso_time(timestamp_ns),
        "ecs": {"version": ECS_VERSION},
        "data_stream": {"type": dataset.kind, "dataset": dataset.event_dataset, "namespace": namespace},
        "event": {"kind": kind, "module": "conntrail", "dataset": dataset.event_dataset},
        "orchestrator": {"type": "kubernetes", "cluster": {"name": cluster}},
    }


def spanned(record: Record, dataset: Dataset, namespace: str, body: Body) -> Document:
    """The document with what tells its emission from earlier ones."""
    timestamp_ns, partition, revision = record["timestamp_ns"], record["partition"], record["revision"]
    body["conntrail"] = {"partition": partition, "revision": revision}
    index = dataset.index(namespace, timestamp_ns)
    span = Span(
        index=span_index(namespace, timestamp_ns),
        id=f"{dataset.name}|{record['cluster']}|{partition}|{timestamp_ns}",
        target=index,
        cluster=record["cluster"],
        partition=partition,
        timestamp=body["@timestamp"],
        revision=revision,
        replaces=record["replaces"],
    )
    return Document(index, record["id"], revision, without_empty(body), span)


def pruned(value: Record) -> Body:
    """Without nulls, empty texts, lists and objects, all the way down."""
    kept: Body = {}
    for name, item in value.items():
        if isinstance(item, dict):
            item = pruned(item)  # noqa: PLW2901 - the same item, pruned
        if item is None or item in ("", [], {}):
            continue
        kept[name] = item
    return kept


def without_empty(body: Body) -> Body:
    """Without empty lists and objects at the top."""
    return {name: item for name, item in body.items() if item not in ({}, [])}
