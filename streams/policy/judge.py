"""What became of each connection: what the policies say of its ends, held against what the kernel showed.

Verdicts come from the policies in force when the connection started. A denial needs both: that it did not get through
and that a policy says so; where the two contradict each other, that is drift.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import polars as pl

from streams.metadata.endpoint import Endpoint
from streams.policy.outcome import outcome
from streams.policy.timeline import PolicyTimeline
from streams.policy.verdict import Verdict
from streams.policy.verdict_cache import ClassifiedEnd

MATCHED: Final = {
    "source_index": pl.UInt32(),
    "destination_index": pl.UInt32(),
    "source_address": pl.String(),
    "destination_address": pl.String(),
    "protocol": pl.Int32(),
    "destination_port": pl.Int32(),
    "started_at_ns": pl.Int64(),
    "is_attempt": pl.Boolean(),
    "seen_reply": pl.Boolean(),
    "is_final": pl.Boolean(),
    "end_reason": pl.String(),
    "evidence": pl.List(pl.String),
}
"""Columns that are read; others pass through. Indexes are into the directory's endpoints, null outside the cluster."""

_VERDICT: Final = {
    "policy_verdict": pl.String(),
    "ingress_policies": pl.List(pl.String),
    "egress_policies": pl.List(pl.String),
    "denied_by": pl.List(pl.String),
    "pending": pl.List(pl.String),
    "attempt_reason": pl.String(),
    "silent_reason": pl.String(),
    "answer_reason": pl.String(),
    "rule_name": pl.String(),
    "rule_id": pl.String(),
    "rule_ruleset": pl.String(),
    "rule_category": pl.String(),
    "rule_uuid": pl.String(),
}
_PAIR: Final = [
    "source_index",
    "source_address",
    "destination_index",
    "destination_address",
    "protocol",
    "destination_port",
]
_PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP"}


class Directory(Protocol):
    """Whoever knows the endpoints; streams.metadata does."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """By index."""


def judge(matched: pl.DataFrame, directory: Directory, policies: PolicyTimeline) -> pl.DataFrame:
    """Add policy_verdict, {ingress,egress}_policies, denied_by, pending, drift, action, reason and rule_*.

    The rows keep their order. ``evidence`` gains ``unreplied`` and ``evaluation`` where these made it a denial.
    """
    keyed = matched.with_columns(_edges_passed(matched["started_at_ns"], policies))
    pairs = keyed.select(*_PAIR, "edges_passed").unique(maintain_order=True)
    numbers, verdicts = _judge_pairs(pairs, directory, policies)
    numbered = keyed.join(
        pairs.with_columns(numbers), on=[*_PAIR, "edges_passed"], how="left", nulls_equal=True, maintain_order="left"
    )
    rows = numbered.drop("edges_passed", "verdict").hstack(_table(verdicts)[numbered["verdict"]])
    return outcome(rows)


def _edges_passed(started_at: pl.Series, policies: PolicyTimeline) -> pl.Series:
    """How many changes of policies came before each start."""
    edges = np.array(policies.edges, dtype=np.int64)
    passed = np.searchsorted(edges, started_at.to_numpy(), side="right")
    return pl.Series("edges_passed", passed, dtype=pl.UInt32)


def _judge_pairs(
    pairs: pl.DataFrame, directory: Directory, policies: PolicyTimeline
) -> tuple[pl.Series, list[Verdict]]:
    """The verdict of each pair as a number into the list of distinct ones."""
    endpoints, cache = directory.endpoints, policies.verdicts
    ends: dict[tuple[int | None, str], ClassifiedEnd] = {}

    def classify(index: int | None, address: str) -> ClassifiedEnd:
        end = ends.get((index, address))
        if end is None:
            end = cache.classify(index, None if index is None else endpoints[index], address)
            ends[index, address] = end
        return end

    numbers: list[int] = []
    verdicts: dict[int, tuple[int, Verdict]] = {}
    for source_index, source, destination_index, destination, protocol, port, passed in pairs.iter_rows():
        verdict = cache.verdict(
            policies.epoch_after(passed),
            classify(source_index, source),
            classify(destination_index, destination),
            _PROTOCOLS.get(protocol) or str(protocol),
            port,
        )
        number, _ = verdicts.setdefault(id(verdict), (len(verdicts), verdict))
        numbers.append(number)
    return pl.Series("verdict", numbers, dtype=pl.UInt32), [verdict for _, verdict in verdicts.values()]


def _table(verdicts: list[Verdict]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [getattr(verdict, name) for verdict in verdicts] for name in _VERDICT}, schema=_VERDICT, strict=False
    )
