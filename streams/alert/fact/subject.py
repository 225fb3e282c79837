"""What rules are asked about: a subject, what is known of it, and what an alert about it will tell."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from streams.alert.rule.condition import Facts
from streams.alert.signal.end import End


class Context(msgspec.Struct, array_like=True):
    """What causes are looked for by, and what an alert tells beside its measures. Kept with the alert."""

    since_ns: int = 0
    """Since when it fails, Unix time in ns; 0 when the observation says it."""
    mode: str = ""
    """How it fails: a mode of an edge, or dns, error, slow, drift; empty when nothing fails."""
    source: End | None = None
    destination: End | None = None
    port: int = 0
    transport: str = ""
    service: str = ""
    domain: str = ""
    nodes: list[str] = msgspec.field(default_factory=list)
    policies: list[str] = msgspec.field(default_factory=list)
    nearest_miss: str = ""
    worked_since_ns: int | None = None
    worked_until_ns: int | None = None
    evidence: list[str] = msgspec.field(default_factory=list)
    members: list[str] = msgspec.field(default_factory=list)
    """Of a subject that stands for several by itself."""
    member_count: int = 1
    cause_ids: list[str] = msgspec.field(default_factory=list)
    """Changes that are its cause by definition."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Something was heard of a subject."""

    signal: str
    name: str
    """Identity of the subject within its rule."""
    title: str
    """In words, as members of a group are listed."""
    fields: dict[str, str]
    """As alerts name the subject."""
    namespace: str
    workloads: tuple[str, ...]
    start_ns: int
    end_ns: int
    facts: Callable[[int], Facts]
    """By window, ns."""
    count: int = 1
    """Occurrences that the record adds."""
    view: str = ""
    """Which topic counts: views of the same occurrences do not add up."""
    context: Context = field(default_factory=Context)
