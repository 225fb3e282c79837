"""Elasticsearch's bulk protocol without the network: actions as lines, requests of bounded size, answers sorted out.

Source: Elasticsearch reference, "Bulk API" and "Optimistic concurrency control" (external versions).
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from streams.index.document import Document, Span

MAXIMUM_REQUEST_BYTES = 1 << 20
"""Above, one slow request holds memory on both sides, and a small node's indexing pressure refuses it for ever."""
MAXIMUM_REQUEST_ACTIONS = 2000
_PASSING = (429, 502, 503, 504)
_REASON_CHARACTERS = 1000
_encode = msgspec.json.encode


class Fate(Enum):
    """What became of one action."""

    DONE = "done"
    KNOWN = "known"
    """The same or a higher version is there."""
    AGAIN = "again"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    """Not the document's fault: we may not write there."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a request; ``number`` is the caller's."""

    number: int
    index: str
    lines: bytes

    @property
    def size_bytes(self) -> int:
        """What it adds to a request."""
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """One action's fate, and why it was refused."""

    fate: Fate
    reason: str = ""


def index_action(number: int, document: Document) -> Action:
    """Put the document unless the same or a higher version is there."""
    action = {
        "_index": document.index,
        "_id": document.id,
        "version": document.version,
        "version_type": "external",
    }
    return Action(number, document.index, b"%b\n%b\n" % (_encode({"index": action}), _encode(document.body)))


def delete_action(number: int, index: str, identity: str, version: int) -> Action:
    """Remove the document unless a higher version is there."""
    action = {"_index": index, "_id": identity, "version": version, "version_type": "external_gte"}
    return Action(number, index, _encode({"delete": action}) + b"\n")


def stale_query(span: Span, revision: int) -> dict[str, Any]:
    """Documents of the span that a lower revision emitted."""
    filters: list[dict[str, Any]] = [
        {"term": {"orchestrator.cluster.name": span.cluster}},
        {"term": {"conntrail.partition": span.partition}},
        {"term": {"@timestamp": span.timestamp}},
        {"range": {"conntrail.revision": {"lt": revision}}},
    ]
    return {"bool": {"filter": filters}}


def take_request(pending: deque[Action], limit_bytes: int) -> list[Action]:
    """Take the next request's actions from the front; one that is larger than the limit by itself goes alone."""
    chunk: list[Action] = []
    size = 0
    while pending and len(chunk) < MAXIMUM_REQUEST_ACTIONS:
        size += pending[0].size_bytes
        if chunk and size > limit_bytes:
            break
        chunk.append(pending.popleft())
    return chunk


def item_outcome(item: Mapping[str, Any]) -> ItemOutcome:
    """Sort out one entry of an answer's ``items``."""
    ((operation, answer),) = item.items()
    status, error = answer["status"], answer.get("error") or {}
    kind = error.get("type", "")
    if status < 300 or (operation == "delete" and status == 404):  # noqa: PLR2004 - HTTP's classes
        return ItemOutcome(Fate.DONE)
    if status == 409:  # noqa: PLR2004 - version conflict
        return ItemOutcome(Fate.KNOWN)
    reason = f"{kind}: {_causes(error)}"[:_REASON_CHARACTERS]
    # A block (read-only index, full disk) and a missing index are conditions of the cluster that pass or are mended.
    if status in _PASSING or kind in ("cluster_block_exception", "index_not_found_exception"):
        return ItemOutcome(Fate.AGAIN, reason)
    if status in (401, 403):
        return ItemOutcome(Fate.FORBIDDEN, reason)
    return ItemOutcome(Fate.REFUSED, reason)


def is_passing(status: int) -> bool:
    """Whether a whole request may be taken later as it is."""
    return status in _PASSING


def _causes(error: Mapping[str, Any]) -> str:
    """The reasons from the outside in: the innermost names the field."""
    reasons = []
    cause: Any = error
    while isinstance(cause, Mapping):
        reasons.append(str(cause.get("reason", "")))
        cause = cause.get("caused_by")
    return ": ".join(reason for reason in reasons if reason)
