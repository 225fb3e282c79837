"""Which rule came nearest to allowing what was denied, worked out once for each pair of ends and port."""

from collections.abc import Mapping
from typing import Any, Final

from streams.metadata.directory import Directory
from streams.policy.evaluate import evaluate
from streams.policy.judge import ENFORCEMENT_LAG_NS, protocol_name
from streams.policy.knowledge import Names
from streams.policy.miss import nearest_words
from streams.policy.network import parse_address
from streams.policy.policy_set import Epoch
from streams.policy.question import End, Question

_MAXIMUM: Final = 4096
"""Beyond it all is forgotten: a scan of ports asks for each port once, and so much text is 2 MB."""
_LONGEST: Final = 500
_SHIFTS_NS: Final = (0, -ENFORCEMENT_LAG_NS, ENFORCEMENT_LAG_NS)

Row = Mapping[str, Any]


class NearestMisses:
    """Bounded; a set of policies never changes its mind."""

    def __init__(self) -> None:
        self._words: dict[tuple[object, ...], str | None] = {}
        self.evaluations = 0
        """Answers worked out because nobody had asked before, or not lately."""

    def of(self, row: Row, names: Names) -> str | None:
        """One line for a row that the policies deny; None for another, and where a rule denies it."""
        if row["policy_verdict"] != "deny":
            return None
        policies = names.policies
        for shift_ns in _SHIFTS_NS:  # as it was judged: by the start's policies, or by those next to it
            words = self._of_epoch(policies.epoch_at(row["started_at_ns"] + shift_ns), row, names.directory)
            if words is not None:
                return words
        return None

    def _of_epoch(self, epoch: Epoch, row: Row, directory: Directory) -> str | None:
        ends = ("source_index", "source_address", "destination_index", "destination_address")
        key = (epoch.number, *(row[name] for name in (*ends, "protocol", "destination_port", "destination_names")))
        if key not in self._words:
            if len(self._words) >= _MAXIMUM:
                self._words.clear()
            self.evaluations += 1
            question = _question(row, directory)
            words = nearest_words(evaluate(epoch.policies, question), question)
            self._words[key] = None if words is None else words[:_LONGEST]
        return self._words[key]


def _question(row: Row, directory: Directory) -> Question:
    ends = [
        End(None if index is None else directory.endpoints[index], parse_address(address), domains)
        for index, address, domains in (
            (row["source_index"], row["source_address"], None),
            (row["destination_index"], row["destination_address"], _domains(row)),
        )
    ]
    return Question(ends[0], ends[1], protocol_name(row["protocol"]), row["destination_port"])


def _domains(row: Row) -> tuple[str, ...] | None:
    names = row["destination_names"]
    return None if names is None or row["dialled_address"] is not None else tuple(names.split())
