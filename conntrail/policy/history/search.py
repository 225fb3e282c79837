"""Searches that sum a period up in Elasticsearch, and their buckets as parts of a history. Core aggregations only.

Composite aggregations page through every bucket exactly; nothing is estimated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conntrail.policy.history.document import pod_of
from conntrail.policy.history.period import Period
from conntrail.policy.history.seen import (
    MAXIMUM_EXAMPLES,
    HitKey,
    RuleHits,
    Seen,
    SeenKey,
    SeenPod,
    end_of,
    protocol_of,
)
from conntrail.policy.history.tally import Examples

Bucket = Mapping[str, Any]
PAGE: Final = 1000
_SIDES: Final = ("source", "destination")
_MAXIMUM_ADDRESSES: Final = 16
"""Of one pod name in a period, dual stack and successors with the same name counted."""
_WORKLOAD: Final = {"namespace": "kubernetes.namespace", "kind": "kubernetes.workload.kind",
                    "name": "kubernetes.workload.name"}  # fmt: skip
_TRAFFIC: Final = {"transport": "network.transport", "port": "destination.port", "action": "event.action"}
_HIT: Final = ("kind", "namespace", "name", "tier", "direction", "rule", "action")
_HIT_FIGURES: Final = ("connections", "flows", "bytes", "allowed", "denied")


@dataclass(frozen=True, slots=True)
class Search:
    """A composite aggregation over the documents of one dataset in a period."""

    dataset: str
    """Such as metrics-conntrail.window."""
    filters: tuple[Mapping[str, Any], ...]
    sources: Mapping[str, str]
    """Name of a bucket's key to field."""
    figures: Mapping[str, Any]

    def body(self, cluster: str, period: Period, after: Bucket | None, size: int = PAGE) -> dict[str, Any]:
        """One page's request."""
        composite: dict[str, Any] = {
            "size": size,
            "sources": [
                {name: {"terms": {"field": field, "missing_bucket": True}}} for name, field in self.sources.items()
            ],
        }
        if after is not None:
            composite["after"] = after
        return {
            "size": 0,
            "query": period_query(cluster, period, self.filters),
            "aggs": {"groups": {"composite": composite, "aggs": dict(self.figures)}},
        }


def period_query(cluster: str, period: Period, filters: tuple[Mapping[str, Any], ...] = ()) -> dict[str, Any]:
    """Documents of a cluster in a period."""
    span = {"gt": period.since_ms, "lte": period.until_ms, "format": "epoch_millis"}
    always = [{"range": {"@timestamp": span}}, {"term": {"orchestrator.cluster.name": cluster}}]
    return {"bool": {"filter": [*always, *filters]}}


WINDOWS: Final = Search(
    "metrics-conntrail.window",
    (),
    {
        **{f"{side}_{name}": f"{side}.{field}" for side in _SIDES for name, field in _WORKLOAD.items()},
        **{f"{side}_address": f"{side}.ip" for side in _SIDES},
        **_TRAFFIC,
    },
    {
        "connections": {"sum": {"field": "flow.connections.started"}},
        "flows": {"sum": {"field": "flow.connections.active"}},
        "bytes": {"sum": {"field": "network.bytes"}},
        "first": {"min": {"field": "event.start"}},
        "last": {"max": {"field": "event.end"}},
    },
)
HITS: Final = Search(
    "metrics-conntrail.policy",
    (),
    {name: f"policy.{name}" for name in _HIT},
    {
        **{name: {"sum": {"field": f"policy.{name}"}} for name in _HIT_FIGURES},
        "first": {"min": {"field": "policy.first_seen"}},
        "last": {"max": {"field": "policy.last_seen"}},
    },
)


def seen_of_bucket(bucket: Bucket) -> Seen:
    """A part of a record."""
    return Seen(
        key=_key(bucket["key"]),
        connections=_figure(bucket, "connections"),
        flows=_figure(bucket, "flows"),
        bytes=_figure(bucket, "bytes"),
        first_seen_ms=_figure(bucket, "first"),
        last_seen_ms=_figure(bucket, "last"),
    )


def hits_of_bucket(bucket: Bucket) -> RuleHits:
    """A part of a rule's hits."""
    key = bucket["key"]
    texts = {name: str(key[name] or "") for name in _HIT if name != "rule"}
    return RuleHits(
        key=HitKey(**texts, rule=int(key["rule"])),
        **{name: _figure(bucket, name) for name in _HIT_FIGURES},
        first_seen_ms=_figure(bucket, "first"),
        last_seen_ms=_figure(bucket, "last"),
    )


def _figure(bucket: Bucket, name: str) -> int:
    """Elasticsearch counts in floating point, exact up to 2^53."""
    return int(bucket[name]["value"] or 0)


def example_searches() -> Iterator[Search]:
    """Who the ends of each record were: addresses tell ends apart only where they are outside the cluster."""
    for is_source_inside in (True, False):
        for is_destination_inside in (True, False):
            inside = dict(zip(_SIDES, (is_source_inside, is_destination_inside), strict=True))
            yield _example_search(inside)


def _example_search(inside: Mapping[str, bool]) -> Search:
    sources: dict[str, str] = {}
    figures: dict[str, Any] = {}
    filters = []
    for side, is_inside in inside.items():
        is_there = {"exists": {"field": f"{side}.kubernetes.workload.name"}}
        filters.append(is_there if is_inside else {"bool": {"must_not": [is_there]}})
        if is_inside:
            sources |= {f"{side}_{name}": f"{side}.{field}" for name, field in _WORKLOAD.items()}
            figures[f"{side}_pods"] = _terms(f"{side}.kubernetes.pod.name", MAXIMUM_EXAMPLES)
        else:
            sources[f"{side}_address"] = f"{side}.ip"
    if not inside["destination"]:
        figures["domains"] = _terms("destination.domain", MAXIMUM_EXAMPLES)
    return Search("logs-conntrail.flow", tuple(filters), {**sources, **_TRAFFIC}, figures)


def examples_of_bucket(bucket: Bucket) -> tuple[SeenKey, Examples]:
    """The record, and who it was."""
    key = _key(bucket["key"])
    names = {
        side: frozenset(f"{end.namespace}/{name}" for name in _names(bucket, f"{side}_pods"))
        for side, end in zip(_SIDES, (key.source, key.destination), strict=True)
    }
    return key, Examples(names["source"], names["destination"], frozenset(_names(bucket, "domains")))


def pod_search(side: str) -> Search:
    """Every pod at one end, in its last state."""
    newest = {"size": 1, "sort": [{"@timestamp": "desc"}], "_source": ["@timestamp", f"{side}.kubernetes"]}
    return Search(
        "logs-conntrail.flow",
        ({"exists": {"field": f"{side}.kubernetes.pod.name"}},),
        {"namespace": f"{side}.kubernetes.namespace", "name": f"{side}.kubernetes.pod.name"},
        {"newest": {"top_hits": newest}, "addresses": _terms(f"{side}.ip", _MAXIMUM_ADDRESSES)},
    )


def pod_of_bucket(bucket: Bucket, side: str) -> SeenPod:
    """The pod of a bucket of ``pod_search``."""
    newest = bucket["newest"]["hits"]["hits"][0]["_source"]
    pod = pod_of(newest, side)
    assert pod is not None, "the search asks for documents with a pod"
    return SeenPod(pod.end, pod.name, pod.labels, pod.node_name, tuple(_names(bucket, "addresses")), pod.last_seen_ms)


def _terms(field: str, size: int) -> dict[str, Any]:
    """The first by name: exact on any number of shards."""
    return {"terms": {"field": field, "size": size, "order": {"_key": "asc"}}}


def _names(bucket: Bucket, name: str) -> list[str]:
    return [str(found["key"]) for found in bucket.get(name, {}).get("buckets", ())]


def _key(key: Bucket) -> SeenKey:
    ends = [
        end_of(*(str(key.get(f"{side}_{name}") or "") for name in ("namespace", "kind", "name", "address")))
        for side in _SIDES
    ]
    return SeenKey(ends[0], ends[1], protocol_of(str(key["transport"])), int(key["port"] or 0), str(key["action"]))
