"""Findings and alerts as they are kept: a finding is one subject for which a rule holds, an alert tells of one or more.

Times named ``_at_ns`` or told otherwise are the engine's clock; ``since_ns`` and ``last_ns`` are event time.
"""

from typing import Any

import msgspec

from streams.alert.fact.subject import Context
from streams.alert.rule.condition import Value


class Finding(msgspec.Struct, array_like=True):
    """A rule holds for a subject, or held until lately."""

    id: str
    rule: str
    name: str
    title: str
    fields: dict[str, str]
    namespace: str
    workloads: list[str]
    group: list[str]
    """Values of the rule's ``group_by``."""
    facts: dict[str, Value]
    """As far as texts, groups and inhibitions need them."""
    since_ns: int
    last_ns: int
    held_at_ns: int
    counts: dict[str, int]
    """Occurrences by view."""
    context: Context
    ripe_at_ns: int = 0
    """Since when it has held for as long as the rule wants; 0 while it has not."""
    alert: str = ""
    """Identity of the alert that tells of it; empty while it waits."""
    is_inhibited: bool = False
    is_damped: bool = False
    number: int = 0
    """In the order of coming, over restarts too."""

    @property
    def count(self) -> int:
        """Views tell of the same occurrences: the greatest counts."""
        return max(self.counts.values(), default=0)


class AlertState(msgspec.Struct, array_like=True):
    """What was told and what of it is still true."""

    id: str
    rule: str
    is_group: bool
    group: list[str]
    members: dict[str, int] = msgspec.field(default_factory=dict)
    """Findings that are still true → when they came, in the order of coming."""
    gone_count: int = 0
    """Occurrences of members that are gone."""
    is_open: bool = True
    opens: list[int] = msgspec.field(default_factory=list)
    """When it opened lately."""
    told_at_ns: int = 0
    told: str = ""
    """What the last record told, in short: only something new is told again."""
    record: dict[str, Any] = msgspec.field(default_factory=dict)
    """The last record."""
    widest: dict[str, Any] = msgspec.field(default_factory=dict)
    """What was told of the members of a group when it had most of them, so that its end tells of all of it."""
