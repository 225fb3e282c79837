"""The whole of alerts in three calls: signals in, records out.

Deterministic: the same signals and instants in the same order give the same records. Not thread-safe. What is known
lives in the store, written by ``advance``: an engine that is made with the store of another goes on where that was. So
input is acknowledged after the ``advance`` that followed it, and after its records were delivered; what is fed again is
known. ``advance`` is called with the time, every half a second or so; when the past is replayed, with the end of each
signal before that is taken. Whoever gets other partitions makes another engine.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final

from streams.alert.cause.book import HappeningBook
from streams.alert.cause.effect import EffectBook, Turn
from streams.alert.cause.happening import Happening, of_change, of_event
from streams.alert.cause.report import effect_observation
from streams.alert.counters import AlertCounters
from streams.alert.fact.edge_observation import Heard
from streams.alert.fact.scan import scan_of
from streams.alert.fact.subject import Observation
from streams.alert.knowledge import Knowledge
from streams.alert.life.board import Board
from streams.alert.life.cycle import Cycle
from streams.alert.life.silence import SilenceBook
from streams.alert.life.telling import Teller
from streams.alert.need import needed_measures
from streams.alert.rule.condition import Facts
from streams.alert.rule.rule import Rule
from streams.alert.settings import AlertSettings
from streams.alert.signal.signal import (
    CaptureSignal,
    ChangeSignal,
    DnsSignal,
    EdgeSignal,
    EventSignal,
    HttpSignal,
    Signal,
    SpanSignal,
)
from streams.alert.state.shelf import Store

Record = dict[str, Any]
_NS: Final = 10**9
_AGAIN_NS: Final = 86_400 * 10**9
"""An open alert of which nothing is new is told as it was: its topic drops what is a month old."""
_EFFECT_MODES: Final = frozenset({"denied", "timeout", "drift", ""})
"""Ways of failing that a policy can be the cause of."""


class Engine:
    """Rules over signals. ``rules``: all that shall be asked; those that are not enabled are passed over."""

    def __init__(self, rules: Iterable[Rule], settings: AlertSettings, store: Store) -> None:
        self.counters = AlertCounters()
        self._settings = settings
        self._rules = {rule.id: rule for rule in rules if rule.is_enabled}
        self._by_signal: dict[str, dict[int, list[Rule]]] = {}
        for rule in self._rules.values():
            self._by_signal.setdefault(rule.signal, {}).setdefault(rule.window_ns, []).append(rule)
        self._known = Knowledge(store, settings, self.counters)
        self._happenings: HappeningBook = self._known.happenings
        self._effects: EffectBook = self._known.effects
        self._silences = SilenceBook(self._known.silences, settings.cluster, self.counters)
        board = Board(self._rules, self._known.findings, self._known.alerts, settings.maximum_findings, self.counters)
        self._board = board
        teller = Teller(settings.cluster, self._silences, self._happenings.causes, self.counters)
        self._teller = teller
        needed = needed_measures(self._rules, board.inhibitions)
        self._cycle = Cycle(self._rules, needed, settings, board=board, teller=teller, counters=self.counters)
        self._now_ns = self._known.clock.now_ns

    def resume(self, since_ns: int) -> None:
        """What holds has not been quiet before that instant, Unix, ns: nobody listened."""
        for finding in self._board.findings.values():
            if finding.held_at_ns < since_ns:
                finding.held_at_ns = since_ns
                self._board.keep(finding)

    def forget_places(self, places: Collection[tuple[str, int]]) -> None:
        """The offsets of these, topic and partition, have begun again: what was seen of them is no replay of theirs."""
        self._known.forget_places(places)

    def take(self, signal: Signal, now_ns: int | None = None) -> list[Record]:
        """Take a fact, in event-time order; alerts that it opens or ends at once.

        ``now_ns``: a window that is told before its end makes it no later than that. None when the past is replayed.
        """
        self.counters.signals += 1
        if self._now_ns and _end_ns(signal) > self._now_ns + round(self._settings.ahead_seconds * _NS):
            self.counters.ahead += 1
            return []
        end_ns = _end_ns(signal)
        self._set_clock(end_ns if now_ns is None else min(end_ns, now_ns))
        if isinstance(signal, SpanSignal):
            self._known.spans.note(signal)
        elif isinstance(signal, EdgeSignal):
            self._take_edge(signal)
        elif isinstance(signal, DnsSignal):
            self._known.names.note(signal)
            self._ask(self._known.dns.observe(signal))
            self._ask(self._known.domains.observe(signal))
        elif isinstance(signal, HttpSignal):
            self._ask(self._known.pairs.observe(signal))
        else:
            if isinstance(signal, ChangeSignal):
                self._happened(of_change(signal))
            elif isinstance(signal, EventSignal):
                self._happened(of_event(signal))
            self._ask(self._known.things.observe(signal))
        return self._teller.drained()

    def advance(self, now_ns: int) -> list[Record]:
        """Let time pass up to an instant, Unix, ns; write what is known to the store. Alerts that this opens, updates
        or ends.
        """
        self._set_clock(now_ns)
        for state in self._effects.due(self._now_ns):
            happening = self._happenings.get(state.id)
            if happening is not None:
                self._ask(effect_observation(state, happening, self._settings.effect_seconds))
        if self._silences.end(self._now_ns):
            self._cycle.tell_again(self._now_ns)
        self._cycle.advance(self._now_ns)
        self._repeat()
        self._known.forget(self._now_ns)
        self._known.flush(self._now_ns)
        return self._teller.drained()

    def silence(self, record: Mapping[str, Any]) -> list[Record]:
        """Take a Silence record (schemas/avro/silence.avsc); open alerts that it now holds back, or no more."""
        if self._silences.note(record, self._now_ns):
            self._cycle.tell_again(self._now_ns)
        return self._teller.drained()

    def _repeat(self) -> None:
        for alert in self._board.alerts.values():
            if alert.is_open and self._now_ns - alert.told_at_ns >= _AGAIN_NS:
                self._teller.repeats(alert, self._now_ns)
                self._board.keep_alert(alert)

    def _take_edge(self, signal: EdgeSignal) -> None:
        heard = self._known.edges.observe(signal)
        if heard is None:
            return
        if heard.is_kept:
            self._turn(heard)
        # First whether the source looks around: that says more than any single edge of it.
        self._ask(scan_of(heard.facts))
        if heard.is_kept:
            self._ask_rules("edge", heard.name, heard.facts.measures, heard.observation)

    def _turn(self, heard: Heard) -> None:
        state = heard.facts.state
        is_failing = state.is_failing
        if is_failing == heard.facts.was_failing or (is_failing and not state.worked):
            return
        observation = heard.observation()
        if observation.context.mode not in _EFFECT_MODES:
            return
        turn = Turn(
            observation.name,
            observation.title,
            observation.context.since_ns or observation.start_ns,
            observation.end_ns,
            is_failing,
            observation.context,
        )
        awaited = (self._happenings.get(identity) for identity in self._effects.awaited())
        self._effects.turn(turn, [happening for happening in awaited if happening is not None])

    def _happened(self, happening: Happening | None) -> None:
        if happening is None or not self._happenings.note(happening):
            return
        if happening.is_policy:
            self._effects.watch(happening, self._now_ns)
        self._cycle.touch_where(partial(self._happenings.may_cause, happening))

    def _ask(self, observation: Observation | None) -> None:
        if observation is not None:
            self._ask_rules(observation.signal, observation.name, observation.facts, lambda: observation)

    def _ask_rules(
        self, signal: str, name: str, measures: Callable[[int], Facts], observation: Callable[[], Observation]
    ) -> None:
        is_learning = self._known.is_learning(self._now_ns)
        for window_ns, rules in self._by_signal.get(signal, {}).items():
            facts = {**measures(window_ns), "is_learning": is_learning}
            for rule in rules:
                if rule.until is not None and rule.until.holds(facts):
                    if self._cycle.is_found(rule, name):
                        self._cycle.contradicts(rule, observation(), self._now_ns)
                elif not (rule.needs_learning and is_learning) and rule.when.holds(facts):
                    self._cycle.holds(rule, observation(), facts, self._now_ns)

    def _set_clock(self, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)
        self._known.begin(self._now_ns)


def _end_ns(signal: Signal) -> int:
    if isinstance(signal, ChangeSignal | EventSignal | CaptureSignal):
        return signal.at_ns
    return signal.end_ns
