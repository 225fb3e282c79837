"""Verdicts by what decides them, so that the cost follows new pairs of identities and not flows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from streams.metadata.endpoint import Endpoint
from streams.policy.evaluate import judge_selected
from streams.policy.identity import Classes, Identity, classes_of, identity_of
from streams.policy.network import parse_address
from streams.policy.policy_set import Epoch, Selection
from streams.policy.question import Direction, End, Question
from streams.policy.verdict import Verdict, verdict_of

_MAXIMUM_VERDICTS = 100_000
"""Of each kind of key; beyond it the less recently used half goes. A scan fills about 45 MB with ends and verdicts."""
_MAXIMUM_ENDS = 50_000
_MAXIMUM_IDENTITIES = 50_000
_MAXIMUM_EPOCHS = 512
_LONGEST_REMEMBERED = 256
"""Characters of a path, a method or a name; what is longer is looked up by what the policies ask of it, so that texts
that others make up fill no memory. Templates of paths and names of DNS are no longer."""
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
        self.put(key, value)
        return value

    def put(self, key: _Key, value: _Value) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


@dataclass(frozen=True, slots=True)
class ClassifiedEnd:
    """An end, numbered; and its identity, numbered, 0 outside the cluster."""

    number: int
    end: End
    identity: int


class Asked(NamedTuple):
    """What is asked of two ends."""

    protocol: str
    port: int
    domains: tuple[str, ...] | None = None
    """Names of the destination; None where they are not known."""
    http: tuple[str, str] | None = None
    """Method and path of a request; None for the connection alone."""
    dns: str | None = None
    """Name that a query asks for; None likewise."""

    @property
    def is_more_than_ports(self) -> bool:
        """Tell whether what few policies ask for is told."""
        return self.domains is not None or self.http is not None or self.dns is not None

    @property
    def is_long(self) -> bool:
        """Tell whether it is too long to be remembered."""
        return any(len(text) > _LONGEST_REMEMBERED for text in (*(self.http or ()), self.dns or ""))

    def heeded(self, classes: Classes) -> "Asked":
        """Without what no policy asks for."""
        domains = self.domains if classes.names else None
        http, dns = (self.http, self.dns) if classes.requests else (None, None)
        return Asked(self.protocol, self.port, domains, http, dns)


class VerdictCache:
    """Bounded; knows nothing of time but the epochs it is asked about.

    Asked twice about the same ends it looks up once; about ends that no policy can tell apart, it judges once.
    """

    def __init__(self, maximum_verdicts: int = _MAXIMUM_VERDICTS) -> None:
        self._by_ends = _Generations[tuple[object, ...], Verdict](maximum_verdicts)
        self._by_class = _Generations[tuple[object, ...], Verdict](maximum_verdicts)
        self._distinct = _Generations[Verdict, Verdict](maximum_verdicts)
        self._selections = _Generations[tuple[int, int, Direction], Selection](_MAXIMUM_IDENTITIES)
        self._classes = _Generations[int, Classes](_MAXIMUM_EPOCHS)
        self._ends = _Generations[tuple[int | None, str], ClassifiedEnd](_MAXIMUM_ENDS)
        self._identities: dict[Identity, int] = {}
        self._last_identity = 0
        self._last_end = 0
        self.evaluations = 0
        """Verdicts worked out because nobody had asked before, or not lately."""

    def __len__(self) -> int:
        return len(self._by_ends) + len(self._by_class)

    def classify(self, index: int | None, endpoint: Endpoint | None, address: str) -> ClassifiedEnd:
        """``index`` is the endpoint's number, which may come to mean another endpoint later."""
        known = self._ends.get((index, address), lambda: self._classify(endpoint, address))
        if known.end.endpoint is endpoint:
            return known
        known = self._classify(endpoint, address)
        self._ends.put((index, address), known)
        return known

    def verdict(self, epoch: Epoch, source: ClassifiedEnd, destination: ClassifiedEnd, asked: Asked) -> Verdict:
        """Judge, or remember how it was judged. Names and requests count only where a policy asks for them."""
        if asked.is_more_than_ports:
            asked = asked.heeded(self._classes_of(epoch))
            if asked.is_long:
                return self._by_class_of(epoch, source, destination, _question(source, destination, asked))
        return self._by_ends.get(
            (epoch.number, source.number, destination.number, asked),
            lambda: self._by_class_of(epoch, source, destination, _question(source, destination, asked)),
        )

    def _classes_of(self, epoch: Epoch) -> Classes:
        return self._classes.get(epoch.number, lambda: classes_of(epoch.policies))

    def _by_class_of(
        self, epoch: Epoch, source: ClassifiedEnd, destination: ClassifiedEnd, question: Question
    ) -> Verdict:
        classes = self._classes_of(epoch)
        key = (
            epoch.number,
            source.identity,
            classes.of_address(source.end.address),
            destination.identity,
            classes.of_address(destination.end.address),
            question.protocol,
            classes.of_port(question.protocol, question.port, destination.end.pod),
            question.is_to_itself(),
            question.is_from_own_node(),
            classes.of_names(question),
            classes.of_request(question),
        )
        return self._by_class.get(key, lambda: self._judge(epoch, source, destination, question))

    def _classify(self, endpoint: Endpoint | None, address: str) -> ClassifiedEnd:
        self._last_end += 1
        identity = 0 if endpoint is None else self._number(identity_of(endpoint))
        return ClassifiedEnd(self._last_end, End(endpoint, parse_address(address)), identity)

    def _judge(self, epoch: Epoch, source: ClassifiedEnd, destination: ClassifiedEnd, question: Question) -> Verdict:
        self.evaluations += 1
        trace = judge_selected(
            self._select(epoch, source, "egress"), self._select(epoch, destination, "ingress"), question
        )
        verdict = verdict_of(trace)
        return self._distinct.get(verdict, lambda: verdict)

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
            self._last_identity += 1
            number = self._identities[identity] = self._last_identity
        return number


def _question(source: ClassifiedEnd, destination: ClassifiedEnd, asked: Asked) -> Question:
    end = destination.end if asked.domains is None else replace(destination.end, domains=asked.domains)
    return Question(source.end, end, asked.protocol, asked.port, asked.http, asked.dns)
