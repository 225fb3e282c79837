"""What a change of a policy did: edges that stopped or started working shortly after it, as one report a change."""

from collections.abc import Iterable
from typing import Final

import msgspec

from streams.alert.cause.happening import Happening
from streams.alert.cause.rank import ranked
from streams.alert.fact.subject import Context
from streams.alert.state.shelf import Shelf

MAXIMUM_TURNS: Final = 5000
"""Turns that are remembered for changes of which is told late; the latest of an edge."""
_MAXIMUM_NAMED: Final = 50
_SLACK_NS: Final = 5 * 10**9
"""A watch tells of a change up to that late, so what it did may be dated before it."""


class Turn(msgspec.Struct, array_like=True):
    """An edge stopped or started working."""

    name: str
    title: str
    earliest_ns: int
    latest_ns: int
    is_stop: bool
    context: Context


class EffectState(msgspec.Struct, array_like=True):
    """Of one change, until it is told."""

    id: str
    at_ns: int
    due_ns: int
    """By the engine's clock."""
    stopped: dict[str, str] = msgspec.field(default_factory=dict)
    """Names of edges by key, a bounded number of them."""
    started: dict[str, str] = msgspec.field(default_factory=dict)
    stopped_others: int = 0
    started_others: int = 0


class EffectBook:
    """Changes of policies whose effect is still awaited."""

    def __init__(self, shelf: Shelf[EffectState], turns: Shelf[Turn], effect_ns: int, wait_ns: int) -> None:
        self._shelf = shelf
        self._turn_shelf = turns
        self._turns = {key: turn for key in turns if (turn := turns.get(key)) is not None}
        self._effect_ns = effect_ns
        self._wait_ns = wait_ns

    def watch(self, happening: Happening, now_ns: int) -> None:
        """A policy changed."""
        key = self._shelf.key(happening.id)
        if key in self._shelf or happening.at_ns < now_ns - self._wait_ns:
            return
        state = EffectState(happening.id, happening.at_ns, now_ns + self._wait_ns)
        self._shelf.put(key, state)
        for turn in sorted(self._turns.values(), key=lambda turn: (turn.latest_ns, turn.name)):
            self._consider(key, state, happening, turn)

    def turn(self, turn: Turn, happenings: Iterable[Happening]) -> None:
        """An edge stopped or started. ``happenings``: those of the changes awaited."""
        turned = self._turn_shelf.key(f"{'stop' if turn.is_stop else 'start'}/{turn.name}")
        self._turns[turned] = turn
        self._forget(self._turn_shelf.put(turned, turn))
        for happening in happenings:
            key = self._shelf.key(happening.id)
            state = self._shelf.get(key)
            if state is not None:
                self._consider(key, state, happening, turn)

    def forget_before(self, oldest_ns: int) -> None:
        """Drop turns that are too old to be the effect of a change that is told now."""
        self._forget(self._turn_shelf.drop_before(oldest_ns))

    def awaited(self) -> list[str]:
        """Identities of the changes."""
        states = (self._shelf.get(key) for key in self._shelf)
        return [state.id for state in states if state is not None]

    def due(self, now_ns: int) -> list[EffectState]:
        """Those whose time has come; they are awaited no more."""
        found = []
        for key in self._shelf:
            state = self._shelf.get(key)
            if state is not None and state.due_ns <= now_ns:
                found.append(state)
                self._shelf.drop(key)
        return found

    def _forget(self, gone: Iterable[tuple[str, Turn]]) -> None:
        for key, _ in gone:
            self._turns.pop(key, None)

    def _consider(self, key: str, state: EffectState, happening: Happening, turn: Turn) -> None:
        is_within = turn.latest_ns >= state.at_ns - _SLACK_NS and turn.earliest_ns <= state.at_ns + self._effect_ns
        if not is_within or not ranked([happening], turn.context, max(turn.earliest_ns, state.at_ns), self._effect_ns):
            return
        named = state.stopped if turn.is_stop else state.started
        if turn.name in named:
            return
        if len(named) < _MAXIMUM_NAMED:
            named[turn.name] = turn.title
        elif turn.is_stop:
            state.stopped_others += 1
        else:
            state.started_others += 1
        self._shelf.amend(key, state)
