"""What is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conntrail.observe.condition import AnyCondition, matches
from conntrail.observe.newest import stamp
from conntrail.observe.span import Span
from conntrail.observe.view.table import VIEWS
from conntrail.observe.view.view import View
from schemas.topic import Topic
from streams.index.dataset import Dataset

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked for."""

    types: Sequence[str]
    """Keys of VIEWS."""
    conditions: list[AnyCondition]
    span: Span
    limit: int | None
    does_follow: bool
    source: str
    """auto, elasticsearch or kafka."""
    is_from_oldest: bool = False
    """Whether ``limit`` counts from the oldest."""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What was typed, by filter."""
    is_counted: bool = False
    """Whether they are counted, not listed."""

    @property
    def views(self) -> list[View]:
        """Of the types."""
        return [VIEWS[name] for name in self.types]

    @property
    def topics(self) -> list[Topic]:
        """Where they are in Kafka."""
        return [topic for view in self.views for topic in view.topics]

    @property
    def datasets(self) -> list[Dataset]:
        """Where they are in Elasticsearch."""
        return [view.dataset for view in self.views]

    def holds(self, document: Document) -> bool:
        """Whether a document is asked for."""
        return self.span.holds(stamp(document)) and matches(self.conditions, document)

    @property
    def is_sum(self) -> bool:
        """Whether all are asked for, and their order makes no difference."""
        return self.is_counted and self.limit is None
