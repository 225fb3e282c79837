"""What all documents have in common: where they belong, how they begin, and how what is empty is left away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from streams.index.dataset import Dataset, iso_time

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


def distinct(values: Iterable[str | None]) -> list[str]:
    """Each once, in order; what is empty is left away."""
    return list(dict.fromkeys(value for value in values if value))


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
    """Without empty objects and lists at the top."""
    return {name: item for name, item in body.items() if item not in ({}, [])}
