"""A document, where it belongs and which revision it is; and what every document begins with."""

from collections.abc import Iterable, Mapping
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
    body: Body | None
    """None says of its span that nothing is there any more."""
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
    span = _span(record, dataset, namespace)
    body["conntrail"] = {"partition": span.partition, "revision": span.revision}
    return Document(span.target, record["id"], span.revision, without_empty(body), span)


def empty_span(record: Record, dataset: Dataset, namespace: str) -> Document:
    """What a record without an id says: nothing is left of its span."""
    span = _span(record, dataset, namespace)
    return Document(span.target, "", span.revision, None, span)


def _span(record: Record, dataset: Dataset, namespace: str) -> Span:
    timestamp_ns, partition = record["timestamp_ns"], record["partition"]
    return Span(
        index=span_index(namespace, timestamp_ns),
        id=f"{dataset.name}|{record['cluster']}|{partition}|{timestamp_ns}",
        target=dataset.index(namespace, timestamp_ns),
        cluster=record["cluster"],
        partition=partition,
        timestamp=iso_time(timestamp_ns),
        revision=record["revision"],
        replaces=record["replaces"],
    )


def pruned(value: Record) -> Body:
    """Without nulls, empty texts, lists and objects, all the way down; zeros and no stay."""
    kept: Body = {}
    for name, item in value.items():
        if isinstance(item, dict):
            item = pruned(item)  # noqa: PLW2901 - the same item, pruned
        # A test of truth settles most items; comparing each with what is empty cost a third of a document's time.
        if item or isinstance(item, (int, float)):
            kept[name] = item
    return kept


def without_empty(body: Body) -> Body:
    """Without empty lists and objects at the top."""
    return {name: item for name, item in body.items() if item not in ({}, [])}


def distinct(values: Iterable[str | None]) -> list[str]:
    """Each text once, in order; what is empty is left away."""
    return list(dict.fromkeys(value for value in values if value))
