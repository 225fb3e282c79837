"""Asks what the nodes saw of a span, where its documents came from, and whether all flows of it are kept there."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any, Final

from conntrail.errors import CommandError
from conntrail.observe.condition import Condition
from conntrail.observe.look import Look
from conntrail.observe.reader import DocumentIndex, DocumentTopics
from conntrail.observe.sight.nodes import LOOK_BACK_MS, MOST_NODES, NodeSight, add_interval, of_buckets, words
from conntrail.observe.span import Span
from runtime.settings import Settings
from schemas.topic import NODES
from streams.index.dataset import FLOW, NODE, WINDOW
from streams.index.notable.level import NOTABLE

_SEEN_BY_NODES: Final = {"flow", "dns", "l7"}
_ONLY_NOTABLE: Final = (
    "INCOMPLETE: Elasticsearch was given notable flows only (CONNTRAIL_INDEX__FLOWS=notable): denied, failed, outside, "
    "against the policies, or new. --source kafka has all of the last day; windows count all (docs/index.md)"
)


def sight_lines(settings: Settings, look: Look, source: str, span: Span, zone: tzinfo | None) -> Iterator[str]:
    """Lines on how complete the answer is. ``span``: what was shown; an open one tells nothing of the nodes."""
    try:
        if source == "elasticsearch" and "flow" in look.types and _has_notable_only(settings, look.span):
            yield _ONLY_NOTABLE
        if span.since_ms is None or span.until_ms is None or not _SEEN_BY_NODES & set(look.types):
            return
        read = _of_index if source == "elasticsearch" else _of_topic
        yield words(read(settings, span.since_ms, span.until_ms), span.since_ms, span.until_ms, zone)
    except CommandError as error:
        yield f"INCOMPLETE: what the nodes saw is not known: {error}"


def _has_notable_only(settings: Settings, span: Span) -> bool:
    """By our settings, which may not be the worker's, or by what the documents of the span say."""
    if settings.index.flows == NOTABLE:
        return True
    index = DocumentIndex(settings.elasticsearch, [FLOW, WINDOW])
    asked = [Condition(("conntrail.level",), (NOTABLE,))]
    return any(True for _ in index.latest(asked, span.since_ms, span.until_ms, 1))


def _of_topic(settings: Settings, since_ms: int, until_ms: int) -> dict[str, NodeSight]:
    topics = DocumentTopics(settings.kafka, settings.schema_registry, [NODES], lambda _: None)
    nodes: dict[str, NodeSight] = {}
    for document in topics.documents(max(0, since_ms - LOOK_BACK_MS), follow=False):
        add_interval(nodes, document, since_ms, until_ms)
    return nodes


def _of_index(settings: Settings, since_ms: int, until_ms: int) -> dict[str, NodeSight]:
    """Intervals that the span cuts count as a whole."""
    in_span = {"range": {"@timestamp": {"gt": since_ms, "format": "epoch_millis"}}}
    begun = {"range": {"event.start": {"lt": until_ms, "format": "epoch_millis"}}}
    by_coverage: dict[str, Any] = {
        "terms": {"field": "flow.coverage"},
        "aggs": {"duration": {"sum": {"field": "event.duration"}}},
    }
    of_span = {"filter": in_span, "aggs": {"coverage": by_coverage}}
    by_node = {"terms": {"field": "observer.name", "size": MOST_NODES}, "aggs": {"of_span": of_span}}
    index = DocumentIndex(settings.elasticsearch, [NODE])
    wanted = {"begun": {"filter": begun, "aggs": {"nodes": by_node}}}
    answer = index.sums([], max(0, since_ms - LOOK_BACK_MS), until_ms + LOOK_BACK_MS, wanted)
    return of_buckets(answer.get("begun", {}).get("nodes", {}).get("buckets", ()))
