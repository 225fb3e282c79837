"""The datasets: what Elasticsearch calls each, and which index a document of a given time belongs to.

Indices are cut by event time, not by rollover: the name follows from the document, so the same document always
meets itself, and a higher revision replaces a lower one. A data stream does neither once it has rolled over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

_NS_PER_SECOND = 1_000_000_000
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of document."""

    kind: Literal["logs", "metrics"]
    name: str
    retention_days: int
    """How long the lifecycle policy keeps an index, where the cluster has lifecycles."""

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
        return f"{self.template}-{namespace}-{_day(timestamp_ns // _NS_PER_SECOND // 86400)}"


FLOW = Dataset("logs", "flow", 7)
DNS = Dataset("logs", "dns", 7)
L7 = Dataset("logs", "l7", 7)
ALERT = Dataset("logs", "alert", 90)
EVENT = Dataset("logs", "event", 30)
AUDIT = Dataset("logs", "audit", 90)
DEAD_LETTER = Dataset("logs", "deadletter", 30)
WINDOW = Dataset("metrics", "window", 30)
POLICY = Dataset("metrics", "policy", 90)
DATASETS = (FLOW, DNS, L7, ALERT, EVENT, AUDIT, DEAD_LETTER, WINDOW, POLICY)
SPAN_TEMPLATE = "conntrail-span"


def span_index(namespace: str, timestamp_ns: int) -> str:
    """The index that remembers which revision of a span is the latest."""
    return f"{SPAN_TEMPLATE}-{namespace}-{_day(timestamp_ns // _NS_PER_SECOND // 86400)}"


@lru_cache(maxsize=4096)
def iso_time(time_ns: int) -> str:
    """UTC in ISO 8601, to the millisecond, which is what Elasticsearch's ``date`` keeps."""
    seconds, rest = divmod(time_ns, _NS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // _NS_PER_MS:03d}Z"


@lru_cache(maxsize=256)
def _day(days: int) -> str:
    return f"{datetime.fromtimestamp(days * 86400, UTC):%Y.%m.%d}"
