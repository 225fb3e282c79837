"""All that the engine knows, each kind in its bounded place of one store."""

from collections.abc import Collection
from functools import partial
from typing import Final, TypeVar

import msgspec

from streams.alert.cause.book import HappeningBook
from streams.alert.cause.effect import MAXIMUM_TURNS, EffectBook, EffectState, Turn
from streams.alert.cause.happening import Happening
from streams.alert.counters import AlertCounters
from streams.alert.fact.client_book import ClientBook
from streams.alert.fact.dns_book import DnsBook
from streams.alert.fact.domain_book import DomainBook
from streams.alert.fact.edge_book import EdgeBook
from streams.alert.fact.http_book import HttpBook
from streams.alert.fact.name_book import MAXIMUM_NAMES, NameBook, NameState
from streams.alert.fact.thing_book import ThingBook
from streams.alert.life.silence import SilenceState
from streams.alert.life.state import AlertState, Finding
from streams.alert.settings import AlertSettings
from streams.alert.signal.end import End
from streams.alert.state.client import ClientState, DomainState, PairState, ThingState
from streams.alert.state.edge import EdgeState
from streams.alert.state.seen import forget_places
from streams.alert.state.shelf import Shelf, Store, StorePlace
from streams.alert.state.spans import SpanBook, SpanState

_Seeing = TypeVar("_Seeing", EdgeState, ClientState, DomainState, PairState, ThingState)
_NS: Final = 10**9
_CLOCK: Final = "clock"
_MAXIMUM_PARTITIONS: Final = 4096
_UNBOUNDED: Final = 1 << 62
"""Bounded by whoever fills it."""


class Clock(msgspec.Struct, array_like=True):
    """When the engine began to learn, and what time it has."""

    born_ns: int = 0
    now_ns: int = 0


class Knowledge:
    """Everything by kind."""

    def __init__(self, store: Store, settings: AlertSettings, counters: AlertCounters) -> None:
        self._settings = settings

        def place(name: str) -> StorePlace:
            return StorePlace(store, name, counters)

        self._clocks = Shelf(place("engine"), Clock, 1, lambda clock: clock.now_ns)
        self.clock = self._clocks.get(self._clocks.key(_CLOCK)) or Clock()

        edges = Shelf(place("edge"), EdgeState, settings.maximum_edges, lambda one: one.heard_ns)
        clients = Shelf(place("client"), ClientState, settings.maximum_clients, lambda one: one.heard_ns)
        domains = Shelf(place("domain"), DomainState, settings.maximum_domains, lambda one: one.heard_ns)
        pairs = Shelf(place("http"), PairState, settings.maximum_pairs, lambda one: one.heard_ns)
        things = Shelf(place("thing"), ThingState, settings.maximum_things, lambda one: one.heard_ns)
        names = Shelf(place("name"), NameState, MAXIMUM_NAMES, lambda one: one.heard_ns)
        spans = Shelf(place("span"), SpanState, _MAXIMUM_PARTITIONS, lambda one: one.heard_ns)
        changes = Shelf(place("happening"), Happening, settings.maximum_changes, lambda one: one.at_ns)
        effects = Shelf(place("effect"), EffectState, settings.maximum_changes, lambda one: one.at_ns)
        turns = Shelf(place("turn"), Turn, MAXIMUM_TURNS, lambda one: one.latest_ns)
        self.silences = Shelf(place("silence"), SilenceState, settings.maximum_silences, lambda one: one.ends_at_ns)
        self.findings = Shelf(place("finding"), Finding, _UNBOUNDED, lambda one: one.held_at_ns)
        self.alerts = Shelf(place("alert"), AlertState, _UNBOUNDED, lambda one: one.told_at_ns)
        self._shelves = (
            self._clocks, edges, clients, domains, pairs, things, names, spans, changes, effects, turns, self.silences,
            self.findings, self.alerts,
        )  # fmt: skip
        self._aging = (domains, pairs, things, names)
        self._unsee = (
            partial(_unsee, edges), partial(_unsee, clients), partial(_unsee, domains), partial(_unsee, pairs),
            partial(_unsee, things),
        )  # fmt: skip

        self.names = NameBook(names, settings.cluster_domain)
        self.spans = SpanBook(spans)
        self.clients = ClientBook(clients, settings, counters)
        self.edges = EdgeBook(edges, self.clients, self.spans, settings, counters, domain_of=self.names.domain_of)
        self.dns = DnsBook(self.clients, settings, counters, self.edges)
        self.domains = DomainBook(domains, self.clients, settings, counters)
        self.pairs = HttpBook(pairs, self.clients, counters)
        self.things = ThingBook(things, counters)
        self.happenings = HappeningBook(changes, _in_ns(settings.look_back_seconds), self._failing, counters)
        self.effects = EffectBook(effects, turns, _in_ns(settings.effect_seconds), _in_ns(settings.effect_wait_seconds))

    def begin(self, now_ns: int) -> None:
        """The first instant ever is when learning begins."""
        if not self.clock.born_ns:
            self.clock.born_ns = now_ns

    def is_learning(self, now_ns: int) -> bool:
        """Whether baselines are still being filled."""
        return now_ns < self.clock.born_ns + _in_ns(self._settings.learning_seconds)

    def forget(self, now_ns: int) -> None:
        """Drop what nothing was heard of for long."""
        oldest_ns = now_ns - _in_ns(self._settings.forget_seconds)
        self.edges.forget_before(oldest_ns)
        for shelf in self._aging:
            shelf.drop_before(oldest_ns)
        kept_ns = _in_ns(self._settings.look_back_seconds + self._settings.remember_seconds)
        self.happenings.forget_before(now_ns - kept_ns)
        self.effects.forget_before(now_ns - kept_ns)

    def forget_places(self, places: Collection[tuple[str, int]]) -> None:
        """Forget how far these, topic and partition, were seen."""
        for unsee in self._unsee:
            unsee(places)

    def flush(self, now_ns: int) -> int:
        """Write what has changed to the store; the number of writes."""
        self.clock.now_ns = now_ns
        self._clocks.put(self._clocks.key(_CLOCK), self.clock)
        return sum(shelf.flush() for shelf in self._shelves)

    def _failing(self, client: End, at_ns: int, window_ns: int) -> tuple[int, int]:
        return self.dns.failing(client, at_ns, window_ns)


def _unsee(shelf: Shelf[_Seeing], places: Collection[tuple[str, int]]) -> None:
    """In the store at once: the positions that are written next are of the topics as they are."""
    for key in shelf:
        entry = shelf.get(key)
        if entry is not None and forget_places(entry.seen, places):
            shelf.amend(key, entry)
    shelf.flush()


def _in_ns(seconds: float) -> int:
    return round(seconds * _NS)
