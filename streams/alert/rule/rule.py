"""A rule: when a subject is worth people's attention, and what to tell them. Data, made by ``parse``."""

from dataclasses import dataclass
from typing import Final

from streams.alert.rule.condition import Condition
from streams.alert.rule.text import Text

CATEGORIES: Final = ("policy", "connectivity", "exposure", "dns", "http", "tcp", "node", "pipeline")
SEVERITIES: Final = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Inhibition:
    """Alerts of another rule that an open alert of this one makes needless, where these measures are the same."""

    rule: str
    same: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """See the field's documentation in docs/alert-rules.md for what each means to whoever writes one."""

    id: str
    title: str
    category: str
    severity: str
    signal: str
    when: Condition
    until: Condition | None
    """What proves the contrary: resolves at once."""
    window_ns: int
    for_ns: int
    """Over how much event time ``when`` must have been seen to hold."""
    clear_ns: int
    """After how long without ``when`` it is over."""
    group_by: tuple[str, ...]
    """Measures that members of a group share; without any, each subject has an alert of its own."""
    group_at: int
    """From how many subjects on they are one alert."""
    inhibits: tuple[Inhibition, ...]
    text: Text
    group_text: Text | None
    runbook: str
    is_enabled: bool
    needs_learning: bool
    """Says nothing while baselines are still being filled."""
    file: str
    line: int
