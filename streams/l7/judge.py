"""What the policies say of application exchanges: of their ends, and of method and path where a policy asks for them.

Paths are templates, whose identifiers are folded: a rule about a prefix is met as it would be by the path itself, one
about a whole path with an identifier in it is not, so of such a path no contradiction is claimed.
"""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from streams.metadata.directory import Directory
from streams.policy.judge import ENFORCEMENT_LAG_NS
from streams.policy.timeline import PolicyTimeline
from streams.policy.verdict import Verdict
from streams.policy.verdict_cache import Asked

_FOLDED: Final = "{"
_REFUSALS: Final = (0, 401, 403)
"""What a client gets whom a proxy enforces a policy against: no answer, or one of these. Cilium and Envoy say 403."""


class Judge:
    """Judges rows of one part."""

    def __init__(self, directory: Directory, policies: PolicyTimeline) -> None:
        self._directory = directory
        self._policies = policies

    def verdict(self, row: Mapping[str, Any]) -> Verdict:
        """By the policies in force at the first of the row's exchanges."""
        return self._verdict_at(row, row["first_seen_at_ns"])

    def has_drift(self, row: Mapping[str, Any], verdict: Verdict) -> bool:
        """Whether a request was served that the policies deny, also those that a plugin may still or already enforce.

        ``verdict``: of the row.
        """
        if verdict.policy_verdict != "deny" or not _is_served(row):
            return False
        near = (row["first_seen_at_ns"] - ENFORCEMENT_LAG_NS, row["last_seen_at_ns"] + ENFORCEMENT_LAG_NS)
        return all(self._verdict_at(row, at_ns).policy_verdict == "deny" for at_ns in near)

    def _verdict_at(self, row: Mapping[str, Any], at_ns: int) -> Verdict:
        cache = self._policies.verdicts
        ends = [
            cache.classify(index, None if index is None else self._directory.endpoints[index], address)
            for index, address in (
                (row["source_index"], row["source_address"]),
                (row["destination_index"], row["destination_address"]),
            )
        ]
        request = (row["method"], row["path"]) if row["method"] else None
        asked = Asked("TCP", row["destination_port"], http=request)
        return cache.verdict(self._policies.epoch_at(at_ns), ends[0], ends[1], asked)


def _is_served(row: Mapping[str, Any]) -> bool:
    return bool(row["method"]) and row["status"] not in _REFUSALS and _FOLDED not in row["path"]


def policy_record(verdict: Verdict, *, is_drift: bool) -> dict[str, Any]:
    """The ``policy`` record."""
    return {
        "verdict": verdict.policy_verdict,
        "ingress": {"policies": list(verdict.ingress_policies)},
        "egress": {"policies": list(verdict.egress_policies)},
        "denied_by": list(verdict.denied_by),
        "pending": list(verdict.pending),
        "drift": is_drift,
    }


NO_VERDICT: Final = Verdict("none")


def on_tcp(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of L7Exchange, whose ``protocol`` is the application's, with that as ``application``."""
    return rows.rename({"protocol": "application"}).with_columns(pl.lit(6, dtype=pl.Int32()).alias("protocol"))
