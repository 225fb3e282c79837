"""The datasets: what Elasticsearch calls each, and which index a document of a given time belongs to.

Indices are cut by event time, not by rollover: the name follows from the document, so the same document always
meets itself, and a higher revision replaces a lower one. A data stream does neither once it has rolled over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

NS_PER_SECOND = 1_000_000_000
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of document."""

    kind: Literal["logs", "metrics"]
    name: str

    @property
    def template(self) -> str:
        """Name of its index template, and of everything that belongs to it."""
        return f"{self.kind}-conntrail.{self.name}"

    @property
    def event_dataset(self) -> str:
        """ECS event.dataset."""
        return f"conntrail.{self.name}"

    def index(self, namespace: str, timestamp_ns: int) -> str:
        """The index of a document of that time (UTC day)."""
        return f"{self.template}-{namespace}-{_day(timestamp_ns // NS_PER_SECOND // 86400)}"


FLOW = Dataset("logs", "flow")
DNS = Dataset("logs", "dns")
L7 = Dataset("logs", "l7")
ALERT = Dataset("logs", "alert")
EVENT = Dataset("logs", "event")
AUDIT = Dataset("logs", "audit")
DEAD_LETTER = Dataset("logs", "deadletter")
WINDOW = Dataset("metrics", "window")
POLICY = Dataset("metrics", "policy")
NODE = Dataset("metrics", "node")
DATASETS = (FLOW, DNS, L7, ALERT, EVENT, AUDIT, DEAD_LETTER, WINDOW, POLICY, NODE)
SPAN_TEMPLATE = "conntrail-span"
EDGE_TEMPLATE = "conntrail-edge"


def span_index(namespace: str, timestamp_ns: int) -> str:
    """The index that remembers which revision of a span is the latest."""
    return f"{SPAN_TEMPLATE}-{namespace}-{_day(timestamp_ns // NS_PER_SECOND // 86400)}"


def edge_index(namespace: str, timestamp_ns: int) -> str:
    """The index that remembers which pairs met, by a day on which they did."""
    return f"{EDGE_TEMPLATE}-{namespace}-{_day(timestamp_ns // NS_PER_SECOND // 86400)}"


@lru_cache(maxsize=4096)
def iso_time(time_ns: int) -> str:
    """UTC in ISO 8601, to the millisecond, which is what Elasticsearch's ``date`` keeps."""
    seconds, rest = divmod(time_ns, NS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // _NS_PER_MS:03d}Z"


@lru_cache(maxsize=256)
def _day(days: int) -> str:
    return f"{datetime.fromtimestamp(days * 86400, UTC):%Y.%m.%d}"
