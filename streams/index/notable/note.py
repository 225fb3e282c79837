"""What is remembered of a pair, as a document and back."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from streams.index.dataset import edge_index, iso_time
from streams.index.document import Document
from streams.index.notable.book import Meeting

_NS_PER_MS: Final = 1_000_000
_LATEST_MS: Final = 1 << 62


def note(meeting: Meeting, cluster: str, namespace: str) -> Document:
    """Of two notes on a pair in one index the earlier one stays: its version is the higher.

    It goes with the index of the day on which the pair was seen; one that is seen later is noted again.
    """
    body = {
        "@timestamp": iso_time(meeting.until_ns),
        "orchestrator": {"cluster": {"name": cluster}},
        "edge": meeting.edge,
        "noted": iso_time(meeting.noted_ns),
    }
    identity = hashlib.blake2b(meeting.edge.encode(), digest_size=16).hexdigest()
    version = _LATEST_MS - meeting.until_ns // _NS_PER_MS
    return Document(edge_index(namespace, meeting.noted_ns), identity, version, body)


def meeting_of(source: Mapping[str, Any]) -> Meeting:
    """Inverse of ``note``."""
    until = source["@timestamp"]
    return Meeting(source["edge"], _time_ns(until), _time_ns(source.get("noted", until)))


def _time_ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000) * _NS_PER_MS
