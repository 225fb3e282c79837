"""What the policies say of exchanges, held against what became of them. What is asked of a row, its kind knows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from streams.policy.judge import ENFORCEMENT_LAG_NS
from streams.policy.knowledge import Names
from streams.policy.verdict import Verdict, rule_record
from streams.policy.verdict_cache import Asked

Row = dict[str, Any]
_RULE: Final = ("name", "id", "ruleset", "category", "uuid")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one row."""

    verdict: Verdict
    is_drift: bool = False
    """It went through though it is denied, also by what a plugin may still or already enforce."""

    @property
    def is_denied(self) -> bool:
        """The policies say so."""
        return self.verdict.policy_verdict == "deny"

    @property
    def denial(self) -> str:
        """Why it is denied or may be, in words; empty where it is not."""
        return self.verdict.words if self.verdict.policy_verdict in ("deny", "unknown") else ""


NOT_JUDGED: Final = Judgement(Verdict("none"))


class Judge:
    """Judges rows of one part."""

    def __init__(self, names: Names, asked: Callable[[Row], Asked | None], is_served: Callable[[Row], bool]) -> None:
        self._names = names
        self._asked = asked
        self._is_served = is_served

    def judge(self, row: Row) -> Judgement:
        """By the policies in force at the first of the row's exchanges; of what is not known nothing is said."""
        asked = self._asked(row)
        if asked is None:
            return NOT_JUDGED
        verdict = self._verdict_at(row, asked, row["first_seen_at_ns"])
        if verdict.policy_verdict != "deny":
            return Judgement(verdict)
        if _is_untranslated(row):
            return Judgement(_withdrawn(verdict))
        return Judgement(verdict, self._is_served(row) and self._is_long_denied(row, asked))

    def _is_long_denied(self, row: Row, asked: Asked) -> bool:
        near = (row["first_seen_at_ns"] - ENFORCEMENT_LAG_NS, row["last_seen_at_ns"] + ENFORCEMENT_LAG_NS)
        return all(self._verdict_at(row, asked, at_ns).policy_verdict == "deny" for at_ns in near)

    def _verdict_at(self, row: Row, asked: Asked, at_ns: int) -> Verdict:
        endpoints, policies = self._names.directory.endpoints, self._names.policies
        ends = [
            policies.verdicts.classify(index, None if index is None else endpoints[index], address)
            for index, address in (
                (row["source_index"], row["source_address"]),
                (row["destination_index"], row["destination_address"]),
            )
        ]
        return policies.verdicts.verdict(policies.epoch_at(at_ns), ends[0], ends[1], asked)


def _is_untranslated(row: Row) -> bool:
    """A Service was dialled and it is not known who is behind it: nobody answered, or a cache on the client's node."""
    is_own = row["dialled_address"] in (None, "", row["destination_address"])
    return is_own and row["service_index"] is not None and row["destination_index"] is None


def _withdrawn(denial: Verdict) -> Verdict:
    """Policies are about the pods behind a Service, so that its own address is denied by most and proves nothing."""
    words = f"who answers for the Service is not known; of its own address: {denial.words}"
    return Verdict("unknown", words, denial.ingress_policies, denial.egress_policies)


def judgement_record(judged: Judgement) -> Row:
    """The ``policy`` and the ``rule`` of a record."""
    verdict = judged.verdict
    return {
        "policy": {
            "verdict": verdict.policy_verdict,
            "ingress": {"policies": list(verdict.ingress_policies)},
            "egress": {"policies": list(verdict.egress_policies)},
            "denied_by": list(verdict.denied_by),
            "pending": list(verdict.pending),
            "drift": judged.is_drift,
        },
        "rule": rule_record({f"rule_{name}": getattr(verdict, f"rule_{name}") for name in _RULE}),
    }
