"""Records of the result topics as documents in ECS terms: names of the contract, absent instead of null or empty.

Decides what a document says, where it belongs and which revision it is; knows nothing of how it gets there.
"""

from collections.abc import Callable
from typing import Final

from schemas.topic import (
    ALERTS,
    CHANGES,
    DEAD_LETTER,
    DNS,
    FLOWS,
    KUBERNETES_AUDIT,
    KUBERNETES_EVENTS,
    L7,
    NODES,
    POLICY_HITS,
    WINDOWS,
    Topic,
)
from streams.index import dataset as datasets
from streams.index.cluster_documents import audit_document, change_document, event_document
from streams.index.document import Document, Record, empty_span
from streams.index.exchange import dns, l7
from streams.index.note import alert, dead_letter, node_status, policy_hit
from streams.index.traffic import flow, window

_BUILDERS: Final[tuple[tuple[Topic, Callable[[Record, str], Document]], ...]] = (
    (FLOWS, flow),
    (WINDOWS, window),
    (POLICY_HITS, policy_hit),
    (NODES, node_status),
    (DNS, dns),
    (L7, l7),
    (KUBERNETES_EVENTS, event_document),
    (KUBERNETES_AUDIT, audit_document),
    (CHANGES, change_document),
    (ALERTS, alert),
    (DEAD_LETTER, dead_letter),
)
TOPICS: Final = tuple(topic for topic, _ in _BUILDERS)
"""What is indexed."""
_BY_NAME: Final = {topic.name: build for topic, build in _BUILDERS}
_SPANNED: Final = {FLOWS.name: datasets.FLOW, WINDOWS.name: datasets.WINDOW, POLICY_HITS.name: datasets.POLICY}


def document_of(topic: Topic, record: Record, namespace: str) -> Document:
    """The document of a decoded record. Raises KeyError for a topic that is not indexed."""
    if topic.name in _SPANNED and not record["id"]:
        return empty_span(record, _SPANNED[topic.name], namespace)
    return _BY_NAME[topic.name](record, namespace)
