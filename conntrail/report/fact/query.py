"""What is asked of Elasticsearch: filters of a scope and a period, and the fields that are read."""

from dataclasses import dataclass
from typing import Any, Final

from conntrail.policy.history.period import Period
from conntrail.report.fact.change import KINDS, RESOURCES, WRITES
from conntrail.report.fact.coverage import LOOK_BACK_MS
from conntrail.report.fact.facts import Scope
from streams.index import dataset as datasets
from streams.index.dataset import Dataset

Query = dict[str, Any]
_AT: Final = "@timestamp"
_OBJECT: Final = ("orchestrator.resource.type", "orchestrator.resource.name", "orchestrator.namespace")


@dataclass(frozen=True, slots=True)
class Search:
    """Documents of one dataset, and what is read of each."""

    dataset: Dataset
    filters: tuple[Query, ...]
    fields: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    """Without one they come as Elasticsearch finds them, which is cheapest."""

    def query(self, scope: Scope) -> Query:
        """In Elasticsearch's query language."""
        return {"bool": {"filter": [{"term": {"orchestrator.cluster.name": scope.cluster}}, *self.filters]}}


def windows(scope: Scope, period: Period) -> Search:
    """Windows that end in the period, of traffic that the scope is an end of."""
    fields = ("event", "flow", "network.transport", "network.bytes", "policy", "destination.port",
              "destination.service", *(f"{side}.{name}" for side in ("source", "destination")
                                       for name in ("ip", "kubernetes.namespace", "kubernetes.workload")))  # fmt: skip
    return Search(datasets.WINDOW, (_ends_in(period), *_of_namespace(scope)), fields)


def hits(scope: Scope, period: Period) -> Search:
    """Hits of the scope's policies, and of those of the whole cluster."""
    return Search(datasets.POLICY, (_ends_in(period), *_own_or_none(scope, "policy.namespace")), ("policy",))


def intervals(period: Period) -> Search:
    """What nodes saw: all of them, for traffic of any namespace may be on any node."""
    # An interval that begins in the period and ends after it belongs to it too.
    overlapping = {"range": {"event.start": {"lt": period.until_ms, "format": "epoch_millis"}}}
    ended = {"range": {_AT: {"gt": period.since_ms - LOOK_BACK_MS, "format": "epoch_millis"}}}
    fields = ("event.start", "event.end", "observer.name", "flow.coverage", "conntrail.lost")
    return Search(datasets.NODE, (ended, overlapping), fields, ("observer.name", "event.start", "event.end"))


def node_changes(period: Period) -> Search:
    """Nodes that came and went."""
    kind: Query = {"term": {"orchestrator.resource.type": "node"}}
    span = _span(period.since_ms - LOOK_BACK_MS, period.until_ms, "gte", "lt")
    return Search(datasets.EVENT, (span, kind, _told_by_us()), (_AT, "event.action", *_OBJECT))


def changes(scope: Scope, period: Period) -> Search:
    """What became different of policies and what they select by."""
    fields = (_AT, "event.action", "event.id", "user.name", "change", "related.workloads", *_OBJECT)
    filters = (_begins_in(period), _told_by_us(), {"terms": {"orchestrator.resource.type": list(KINDS)}})
    return Search(datasets.EVENT, (*filters, *_own_or_none(scope, "orchestrator.namespace")), fields)


def requests(scope: Scope, period: Period) -> Search:
    """Requests to change them."""
    fields = (_AT, "event.action", "event.id", "user.name", "user_agent.original", "source.ip", "kubernetes.audit",
              "http.response.status_code", *_OBJECT)  # fmt: skip
    filters = (
        _begins_in(period),
        {"terms": {"orchestrator.resource.type": list(RESOURCES)}},
        {"terms": {"event.action": list(WRITES)}},
    )
    return Search(datasets.AUDIT, (*filters, *_own_or_none(scope, "orchestrator.namespace")), fields)


def audit_events(period: Period) -> Search:
    """Everything of the audit log, to be counted."""
    return Search(datasets.AUDIT, (_begins_in(period),))


def dead_letters(period: Period) -> Search:
    """What could not be read or indexed, to be counted."""
    return Search(datasets.DEAD_LETTER, (_begins_in(period),))


def _ends_in(period: Period) -> Query:
    """For spans: one that ends at midnight belongs to the day before."""
    return _span(period.since_ms, period.until_ms, "gt", "lte")


def _begins_in(period: Period) -> Query:
    """For instants."""
    return _span(period.since_ms, period.until_ms, "gte", "lt")


def _span(since_ms: int, until_ms: int, least: str, most: str) -> Query:
    return {"range": {_AT: {least: since_ms, most: until_ms, "format": "epoch_millis"}}}


def _of_namespace(scope: Scope) -> tuple[Query, ...]:
    if not scope.namespace:
        return ()
    ends = [{"term": {f"{side}.kubernetes.namespace": scope.namespace}} for side in ("source", "destination")]
    return ({"bool": {"should": ends, "minimum_should_match": 1}},)


def _own_or_none(scope: Scope, field: str) -> tuple[Query, ...]:
    """Of the namespace, or of an object of the whole cluster, which has none."""
    if not scope.namespace:
        return ()
    none: Query = {"bool": {"must_not": [{"exists": {"field": field}}]}}
    return ({"bool": {"should": [{"term": {field: scope.namespace}}, none], "minimum_should_match": 1}},)


def _told_by_us() -> Query:
    return {"term": {"event.provider": "conntrail"}}
