"""What became of each connection: what the policies say of its ends, held against what the kernel showed.

Verdicts come from the policies in force when the connection started. A denial needs both: that it did not get through
and that a policy says so; where the two contradict each other, that is drift.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from streams.metadata.endpoint import Endpoint
from streams.policy.outcome import is_unexplained, outcome
from streams.policy.timeline import PolicyTimeline
from streams.policy.verdict import Verdict
from streams.policy.verdict_cache import Asked, ClassifiedEnd

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
_NAMED: Final = {"destination_names", "is_destination_unnamed", "dialled_address"}
"""Columns by which a destination's names are known; where they are not there, nobody knows any."""
ENFORCEMENT_LAG_NS: Final = 2_000_000_000
"""Network plugins take up to about a second to enforce a change, and a watch to hear of one."""
_PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP"}


def protocol_name(number: int) -> str:
    """How policies name a protocol of this IANA number."""
    return _PROTOCOLS.get(number) or str(number)


class Directory(Protocol):
    """Whoever knows the endpoints; streams.metadata does."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """By index."""


def judge(matched: pl.DataFrame, directory: Directory, policies: PolicyTimeline) -> pl.DataFrame:
    """Add policy_verdict, {ingress,egress}_policies, denied_by, pending, drift, action, reason and rule_*.

    The rows keep their order. ``evidence`` gains ``unreplied`` and ``evaluation`` where these made it a denial.
    Close to a change of policies the kernel may have enforced the state before it or, when the change was heard of
    late, already the one after: there, what contradicts the policies of the start is judged by those if they agree.
    """
    rows = _judge_at(matched, 0, directory, policies)
    for shift_ns in (-ENFORCEMENT_LAG_NS, ENFORCEMENT_LAG_NS):
        is_open = is_unexplained(rows) & _changes_within(matched["started_at_ns"], shift_ns, policies)
        if is_open.any():
            again = _judge_at(matched.filter(is_open), shift_ns, directory, policies)
            rows = _replace(rows, is_open, again, ~is_unexplained(again))
    return rows


def _judge_at(matched: pl.DataFrame, shift_ns: int, directory: Directory, policies: PolicyTimeline) -> pl.DataFrame:
    """Judge by the policies of the start, shifted in time."""
    passed = _edges_passed(matched["started_at_ns"], shift_ns, policies)
    keyed = matched.with_columns(pl.Series("edges_passed", passed, dtype=pl.UInt32))
    asked = [*_PAIR, "edges_passed"]
    if policies.uses_names and _NAMED.issubset(matched.columns):
        keyed, asked = keyed.with_columns(_names().alias("names")), [*asked, "names"]
    pairs = keyed.select(asked).unique(maintain_order=True)
    numbers, verdicts = _judge_pairs(pairs, directory, policies)
    numbered = keyed.join(pairs.with_columns(numbers), on=asked, how="left", nulls_equal=True, maintain_order="left")
    rows = numbered.drop("edges_passed", "names", "verdict", strict=False).hstack(_table(verdicts)[numbered["verdict"]])
    return outcome(rows)


def _names() -> pl.Expr:
    """Those of the destination, a space between them; empty where it is known to have none, null where nobody knows.

    An address that was translated is not the one that was looked up.
    """
    told = pl.col("destination_names").fill_null(pl.when("is_destination_unnamed").then(pl.lit("")))
    return pl.when(pl.col("dialled_address").is_null()).then(told)


def _edges_passed(started_at: pl.Series, shift_ns: int, policies: PolicyTimeline) -> npt.NDArray[np.int64]:
    """How many changes of policies came before each instant."""
    edges = np.array(policies.edges, dtype=np.int64)
    return np.searchsorted(edges, started_at.to_numpy() + shift_ns, side="right")


def _changes_within(started_at: pl.Series, shift_ns: int, policies: PolicyTimeline) -> pl.Series:
    """Whether policies changed between each start and that much later or earlier."""
    return pl.Series(_edges_passed(started_at, 0, policies) != _edges_passed(started_at, shift_ns, policies))


def _replace(rows: pl.DataFrame, is_replaceable: pl.Series, others: pl.DataFrame, is_better: pl.Series) -> pl.DataFrame:
    """Put the better ones of ``others`` where they belong."""
    better = others.filter(is_better)
    places = np.flatnonzero(is_replaceable.to_numpy())[is_better.to_numpy()]
    taken = np.arange(rows.height, dtype=np.int64)
    taken[places] = rows.height + np.arange(better.height)
    return pl.concat([rows, better])[taken]


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
    for source_index, source, destination_index, destination, protocol, port, passed, *names in pairs.iter_rows():
        verdict = cache.verdict(
            policies.epoch_after(passed),
            classify(source_index, source),
            classify(destination_index, destination),
            Asked(protocol_name(protocol), port, _domains(names)),
        )
        number, _ = verdicts.setdefault(id(verdict), (len(verdicts), verdict))
        numbers.append(number)
    return pl.Series("verdict", numbers, dtype=pl.UInt32), [verdict for _, verdict in verdicts.values()]


def _domains(names: list[str | None]) -> tuple[str, ...] | None:
    """Of a pair's column of names, where there is one."""
    return None if not names or names[0] is None else tuple(names[0].split())


def _table(verdicts: list[Verdict]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [getattr(verdict, name) for verdict in verdicts] for name in _VERDICT}, schema=_VERDICT, strict=False
    )
