"""Settings of what Elasticsearch is given, and how long it keeps it."""

from typing import Annotated, Literal

import msgspec

from runtime.setting.group import Group
from runtime.unit import Seconds, require_within

_DAY = 86400
_LONGEST_DAYS = 3650
KEPT = ("flow", "dns", "l7", "alert", "event", "audit", "deadletter", "window", "policy", "node")
"""Datasets, each with a setting ``keep_<dataset>``."""


class IndexSettings(Group, frozen=True):
    """What Elasticsearch is given, and how long it keeps it."""

    flows: Literal["all", "notable"] = "all"
    """Which flows become documents. ``notable``: denied, failed, against the policies, with an end outside, and those
    of the window in which a workload pair first met on a port. Windows tell of all traffic either way. What is left
    out is counted (``conntrail_index_left_out_flows_total``), and ``conntrail.level`` of flows and windows says so."""
    edges: Annotated[int, msgspec.Meta(ge=100, le=10_000_000)] = 100_000
    """With ``notable``: pairs that a worker remembers to have met, about 320 bytes each. Of the longest unseen one
    that is forgotten beyond, flows are indexed once more (``conntrail_index_forgotten_edges_total``)."""
    logsdb: Literal["auto", "on", "off"] = "auto"
    """Index mode of traffic. ``auto``: where the cluster has it and its licence lets it do without the original
    document; with a basic licence the ordinary mode, sorted and compressed, is the smaller one, and it is taken where
    we may not ask (privilege ``monitor``). ``setup`` decides."""
    keep_flow: Seconds = Seconds(7.0 * _DAY)
    """Flows. These periods are of the lifecycle policies that ``setup`` writes; an index goes when its whole day is
    that old. A policy that was changed in Elasticsearch is left as it is."""
    keep_dns: Seconds = Seconds(7.0 * _DAY)
    """DNS exchanges."""
    keep_l7: Seconds = Seconds(7.0 * _DAY)
    """HTTP, TLS and SSH exchanges."""
    keep_alert: Seconds = Seconds(90.0 * _DAY)
    """Alerts, by their start."""
    keep_event: Seconds = Seconds(30.0 * _DAY)
    """Kubernetes events and changes."""
    keep_audit: Seconds = Seconds(90.0 * _DAY)
    """Requests to the Kubernetes API."""
    keep_deadletter: Seconds = Seconds(30.0 * _DAY)
    """Messages that could not be used."""
    keep_window: Seconds = Seconds(30.0 * _DAY)
    """Windows, and what is remembered of pairs."""
    keep_policy: Seconds = Seconds(90.0 * _DAY)
    """What each rule of each policy met."""
    keep_node: Seconds = Seconds(30.0 * _DAY)
    """What each node saw of each interval."""

    def __post_init__(self) -> None:
        """Raise ValueError for periods that no lifecycle keeps: they are whole days."""
        for name in KEPT:
            seconds = getattr(self, f"keep_{name}")
            require_within(f"keep_{name}", seconds, _DAY, _LONGEST_DAYS * _DAY)
            if seconds % _DAY:
                raise ValueError(f"`keep_{name}` must be whole days such as 7d, got {seconds:g} s")

    def days(self, dataset: str) -> int:
        """How long documents of a dataset are kept, in days."""
        return int(getattr(self, f"keep_{dataset}") // _DAY)
