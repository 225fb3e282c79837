"""Which policies were in force when: every state of every policy holds from an instant to an instant.

A flow is judged by the policies of the moment at which its connection started, so a late or replayed flow gets the
verdict that it would have had in time.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from streams.policy.compile import compile_object
from streams.policy.identity import asks_for_names
from streams.policy.object import PolicyObject
from streams.policy.policy import Policy
from streams.policy.policy_set import Epoch, policy_set
from streams.policy.referent import NetworkSet, Referent
from streams.policy.verdict_cache import VerdictCache

_ENDLESS = 2**63 - 1
_BIRTH_SEEN_NS = 2_000_000_000
"""creationTimestamp has whole seconds: a policy first seen within two of them was seen being made."""
_KEPT_EPOCHS = 256
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class _State:
    source: PolicyObject
    compiled: Policy | Referent
    serial: int
    """Equal for states that mean the same, so that an annotation's change is no change of policies."""
    asks_for_names: bool
    """Whether the names of a destination can change what it says, or what refers to it."""


@dataclass(frozen=True, slots=True)
class _Span:
    start_ns: int
    end_ns: int
    state: _State


class PolicyTimeline:
    """Built from states in any order; the same state given twice changes nothing."""

    def __init__(self) -> None:
        self.verdicts = VerdictCache()
        """What these policies have said so far; it outlives changes, since a set of policies never changes its mind."""
        self._states: dict[_Key, list[_State]] = {}
        self._spans: list[_Span] = []
        self._edges: list[int] = []
        self._uids: dict[tuple[str, str, str, str], str] = {}
        self._is_stale = False
        self._uses_names = False
        self._epochs: dict[tuple[int, ...], Epoch] = {}
        self._epoch_by_edge: dict[int, Epoch] = {}
        self._last_serial = 0
        self._last_number = 0

    def __len__(self) -> int:
        return sum(map(len, self._states.values()))

    def apply(self, source: PolicyObject) -> None:
        """Take in one state: a new one, a correction of one at the same instant, or a deletion."""
        states = self._states.setdefault(_key(source), [])
        same_instant = [state for state in states if state.source.observed_at_ns == source.observed_at_ns]
        if same_instant:
            if source.spec is None and source.deleted_at_ns is not None:
                source = replace(same_instant[0].source, deleted_at_ns=source.deleted_at_ns)
            if same_instant[0].source == source:
                return
            states.remove(same_instant[0])
        states.append(self._compile(source, states))
        states.sort(key=lambda state: state.source.observed_at_ns)
        self._is_stale = True

    def remove(self, source: PolicyObject) -> None:
        """Forget an object altogether, as after its tombstone; only its name counts."""
        self._is_stale |= self._states.pop(_key(source), None) is not None

    def forget_before(self, at_ns: int) -> None:
        """Drop the states that ended before an instant which no flow can ask for any more."""
        ended = [span for states in self._states.values() for span in _lay_out(states) if span.end_ns <= at_ns]
        for span in ended:
            key = _key(span.state.source)
            self._states[key].remove(span.state)
            if not self._states[key]:
                del self._states[key]
            self._is_stale = True

    @property
    def edges(self) -> list[int]:
        """Every instant at which a policy changed, Unix time in ns, ascending."""
        self._refresh()
        return self._edges

    @property
    def uses_names(self) -> bool:
        """Whether the names of a destination can change a verdict, at any time that is known."""
        self._refresh()
        return self._uses_names

    def epoch_at(self, at_ns: int) -> Epoch:
        """The policies in force at an instant, Unix time in ns."""
        return self.epoch_after(bisect_right(self.edges, at_ns))

    def epoch_after(self, passed: int) -> Epoch:
        """The policies in force once that many of the edges have passed."""
        self._refresh()
        epoch = self._epoch_by_edge.get(passed)
        if epoch is None:
            at_ns = self._edges[passed - 1] if passed else -1
            valid = [span.state for span in self._spans if span.start_ns <= at_ns < span.end_ns]
            epoch = self._epoch_by_edge[passed] = self._epoch_of(valid)
        return epoch

    def uid_of(self, kind: str, namespace: str, name: str, tier: str = "") -> str:
        """The UID of the policy that bears this name, or bore it last; empty when it is not known."""
        self._refresh()
        return self._uids.get((kind, namespace, name, tier), "")

    def _epoch_of(self, states: list[_State]) -> Epoch:
        serials = tuple(sorted(state.serial for state in states))
        epoch = self._epochs.pop(serials, None)
        if epoch is None:
            self._last_number += 1
            epoch = Epoch(self._last_number, policy_set(state.compiled for state in states))
        self._epochs[serials] = epoch
        if len(self._epochs) > _KEPT_EPOCHS:
            del self._epochs[next(iter(self._epochs))]
        return epoch

    def _compile(self, source: PolicyObject, others: list[_State]) -> _State:
        compiled = compile_object(source)
        serial = next((state.serial for state in others if state.compiled == compiled), 0)
        if not serial:
            self._last_serial += 1
            serial = self._last_serial
        has_names = asks_for_names(compiled) if isinstance(compiled, Policy) else _has_names(compiled)
        return _State(source, compiled, serial, has_names)

    def _referred_kinds(self) -> frozenset[str]:
        """Changes of what no policy refers to are no changes of policies."""
        compiled = (state.compiled for states in self._states.values() for state in states)
        return frozenset(kind for item in compiled if isinstance(item, Policy) for kind in item.refers_to)

    def _refresh(self) -> None:
        if not self._is_stale:
            return
        referred = self._referred_kinds()
        self._spans = [
            span
            for states in self._states.values()
            for span in _lay_out(states)
            if isinstance(span.state.compiled, Policy) or span.state.compiled.kind in referred
        ]
        self._uses_names = any(span.state.asks_for_names for span in self._spans)
        self._edges = sorted({span.start_ns for span in self._spans} | {span.end_ns for span in self._spans})
        self._uids = {
            (key[1], key[2], key[3], compiled.tier_name): states[-1].source.uid
            for key, states in self._states.items()
            if isinstance(compiled := states[-1].compiled, Policy)
        }
        self._epoch_by_edge.clear()
        self._is_stale = False


def _key(source: PolicyObject) -> _Key:
    return (source.group, source.kind, source.namespace, source.name)


def _has_names(referent: Referent) -> bool:
    return isinstance(referent, NetworkSet) and bool(referent.domains)


def _lay_out(states: list[_State]) -> Iterator[_Span]:
    """One after another: a state ends when it is deleted or the next begins."""
    following = [*states[1:], None]
    preceding = [None, *states[:-1]]
    for before, state, after in zip(preceding, states, following, strict=True):
        ends = [_ENDLESS if state.source.deleted_at_ns is None else state.source.deleted_at_ns]
        if after is not None:
            ends.append(after.source.observed_at_ns)
            if after.source.deleted_at_ns is not None and after.source.uid == state.source.uid:
                ends.append(after.source.deleted_at_ns)
        yield _Span(_start_ns(state.source, before), min(ends), state)


def _start_ns(source: PolicyObject, before: _State | None) -> int:
    """A policy that was first seen well after its creation was there before anybody looked."""
    is_first = before is None or before.source.uid != source.uid
    if not is_first or not source.created_at_ns or source.observed_at_ns - source.created_at_ns <= _BIRTH_SEEN_NS:
        return source.observed_at_ns
    return source.created_at_ns if before is None else max(source.created_at_ns, before.source.observed_at_ns)
