"""Verdicts by what decides them, so that the cost follows new pairs of identities and not flows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from streams.metadata.endpoint import Endpoint
from streams.policy.evaluate import judge_selected
from streams.policy.identity import Classes, Identity, classes_of, identity_of
from streams.policy.network import parse_address
from streams.policy.policy_set import Epoch, Selection
from streams.policy.question import Direction, End, Question
from streams.policy.verdict import Verdict, verdict_of

_MAXIMUM_VERDICTS = 200_000
"""About 60 MB when full; beyond it the least recently used half goes."""
_MAXIMUM_IDENTITIES = 50_000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _Generations(Generic[_Key, _Value]):
    """A bounded memory: what was not asked for while one half filled is forgotten with the other half."""

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, maximum_entries: int) -> None:
        self._half = max(maximum_entries // 2, 1)
        self._young: dict[_Key, _Value] = {}
        self._old: dict[_Key, _Value] = {}

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        value = self._young.get(key)
        if value is not None:
            return value
        value = self._old.get(key)
        if value is None:
            value = make()
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value
        return value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


@dataclass(frozen=True, slots=True)
class ClassifiedEnd:
    """An end and the number of its identity; 0 outside the cluster."""

    end: End
    identity: int


class VerdictCache:
    """Bounded; knows nothing of time but the epochs it is asked about."""

    def __init__(self, maximum_verdicts: int = _MAXIMUM_VERDICTS) -> None:
        self._verdicts = _Generations[tuple[object, ...], Verdict](maximum_verdicts)
        self._selections = _Generations[tuple[int, int, Direction], Selection](_MAXIMUM_IDENTITIES)
        self._classes = _Generations[int, Classes](512)
        self._identities: dict[Identity, int] = {}
        self._last_identity = 0
        self._by_index: dict[int, tuple[Endpoint, int]] = {}
        self.evaluations = 0
        """Verdicts worked out because nobody had asked before, or not lately."""

    def __len__(self) -> int:
        return len(self._verdicts)

    def classify(self, index: int | None, endpoint: Endpoint | None, address: str) -> ClassifiedEnd:
        """``index`` is the endpoint's number, which may come to mean another endpoint later."""
        end = End(endpoint, parse_address(address))
        if index is None or endpoint is None:
            return ClassifiedEnd(end, 0)
        known = self._by_index.get(index)
        if known is None or known[0] is not endpoint:
            known = self._by_index[index] = (endpoint, self._number(identity_of(endpoint)))
        return ClassifiedEnd(end, known[1])

    def verdict(
        self, epoch: Epoch, source: ClassifiedEnd, destination: ClassifiedEnd, protocol: str, port: int
    ) -> Verdict:
        """Judge, or remember how it was judged."""
        classes = self._classes.get(epoch.number, lambda: classes_of(epoch.policies))
        question = Question(source.end, destination.end, protocol, port)
        key = (
            epoch.number,
            source.identity,
            classes.of_address(source.end.address),
            destination.identity,
            classes.of_address(destination.end.address),
            protocol,
            classes.of_port(protocol, port, destination.end.pod),
            question.is_to_itself(),
            question.is_from_own_node(),
        )
        return self._verdicts.get(key, lambda: self._judge(epoch, source, destination, question))

    def _judge(self, epoch: Epoch, source: ClassifiedEnd, destination: ClassifiedEnd, question: Question) -> Verdict:
        self.evaluations += 1
        trace = judge_selected(
            self._select(epoch, source, "egress"), self._select(epoch, destination, "ingress"), question
        )
        return verdict_of(trace)

    def _select(self, epoch: Epoch, end: ClassifiedEnd, direction: Direction) -> Selection:
        return self._selections.get(
            (epoch.number, end.identity, direction), lambda: epoch.policies.select(end.end.pod, direction)
        )

    def _number(self, identity: Identity) -> int:
        """Numbers are never used twice, so forgetting identities only costs evaluations."""
        number = self._identities.get(identity)
        if number is None:
            if len(self._identities) >= _MAXIMUM_IDENTITIES:
                self._identities.clear()
                self._by_index.clear()
            self._last_identity += 1
            number = self._identities[identity] = self._last_identity
        return number
