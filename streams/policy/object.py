"""A policy object as it came from Kafka or a manifest, before anything of it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PolicyObject:
    """One state of one object; it holds from ``observed_at_ns`` until the next state or ``deleted_at_ns``."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    spec: object
    """Parsed JSON; anything, since nobody has checked it."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0
    created_at_ns: int = 0
    observed_at_ns: int = 0
    deleted_at_ns: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """API group; empty for the core group."""
        group, separator, _ = self.api_version.rpartition("/")
        return group if separator else ""
