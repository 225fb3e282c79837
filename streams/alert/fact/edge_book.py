"""Edges: what is heard of one is held against what is known of it, and becomes an observation.

A success is dated by the begin of its window and a prompt failure by its last packet, so a window in which both
happened proves nothing of their order; the next one does.
"""

from collections.abc import Callable
from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.fact.client_book import ClientBook
from streams.alert.fact.edge_facts import EdgeFacts
from streams.alert.fact.edge_observation import MAXIMUM_POLICIES, Heard
from streams.alert.fact.unproven import UnprovenEdges
from streams.alert.settings import AlertSettings
from streams.alert.signal.end import NOWHERE, OUTSIDE, SERVICE, End
from streams.alert.signal.signal import EdgeSignal
from streams.alert.state.client import ClientState
from streams.alert.state.edge import EdgeState, edge_name
from streams.alert.state.seen import is_replayed, note_place
from streams.alert.state.shelf import Shelf
from streams.alert.state.spans import SpanBook
from streams.alert.state.tally import Entry, put_entry

_MAXIMUM_NODES: Final = 4
_FORGIVEN_NS: Final = 600 * 10**9
"""That policies selected an end is worth telling for so long after none does any more."""
_LASTING_NS: Final = 3600 * 10**9
"""A policy that was tried for less is not missed."""


class EdgeBook:
    """Edges by key. ``domain_of``: the name by which an outside address was found, empty when not known."""

    def __init__(
        self,
        shelf: Shelf[EdgeState],
        clients: ClientBook,
        spans: SpanBook,
        settings: AlertSettings,
        counters: AlertCounters,
        *,
        domain_of: Callable[[str], str],
    ) -> None:
        self._shelf = shelf
        self._clients = clients
        self._spans = spans
        self._settings = settings
        self._counters = counters
        self._domain_of = domain_of
        self._behind: dict[str, str] = {}
        self._unproven = UnprovenEdges()
        for key in shelf:
            state = shelf.get(key)
            if state is not None:
                self._note_service(key, state)
                self._unproven.note(key, state)

    def __len__(self) -> int:
        return len(self._shelf)

    def observe(self, signal: EdgeSignal) -> Heard | None:
        """None for what was seen already, is stale, or works and has no room."""
        if self._spans.is_stale(signal.emission):
            self._counters.superseded += 1
            return None
        key = self._key_of(signal)
        client = self._clients.of(signal.source, signal.start_ns)
        state = self._shelf.get(key) or self._made(signal, client)
        if state is None:
            return self._refused(key, client, signal)
        if is_replayed(state.seen, signal.place):
            self._counters.replayed += 1
            return None
        note_place(state.seen, signal.place)
        was_failing = state.is_failing
        count = self._apply(state, signal)
        self._keep(key, state)
        return Heard(key, self._facts(state, signal, client, was_failing=was_failing), count)

    def is_denied(self, source: End, destination: End, port: int) -> bool:
        """Whether policies deny an edge now, by UDP or TCP."""
        keys = (self._shelf.key(edge_name(source, destination, port, transport)) for transport in ("udp", "tcp"))
        states = [state for state in map(self._shelf.get, keys) if state is not None]
        return any(state.is_failing and state.mode == "denied" for state in states)

    def behind(self, source: End, service: str, port: int) -> tuple[End, int] | None:
        """What stood behind a Service when it answered a source last, and at which port; None when not known."""
        state = self._shelf.get(self._behind.get(_dialled(source, service, port), ""))
        return None if state is None else (state.destination, state.port)

    def forget_before(self, oldest_ns: int) -> None:
        """Drop edges that were not heard of since."""
        for key, state in self._shelf.drop_before(oldest_ns):
            self._gone(key, state)

    def _key_of(self, signal: EdgeSignal) -> str:
        """A Service behind which nothing stands is the edge that stood behind it."""
        if signal.destination.kind == SERVICE:
            known = self._behind.get(_dialled(signal.source, signal.service, signal.service_port))
            if known is not None:
                return known
        return self._shelf.key(edge_name(signal.source, signal.destination, signal.port, signal.transport))

    def _made(self, signal: EdgeSignal, client: ClientState) -> EdgeState | None:
        if not self._clients.has_room(client) and not self._make_room(client):
            return None
        client.edges += 1
        self._clients.keep(client)
        return _new_state(signal)

    def _make_room(self, client: ClientState) -> bool:
        """Forget the edge of a client that never worked and was not heard of for longest; False when all have worked.

        What works stays, so that its break is known: else a scan would end the memory of what the client does.
        """
        key = self._unproven.oldest(client.end)
        if key is None:
            return False
        state = self._shelf.get(key)
        self._shelf.drop(key)
        self._unproven.forget(key, client.end)  # also one that cannot be read
        if state is not None:
            self._counters.evicted_edges += 1
            self._gone(key, state)
        return True

    def _refused(self, key: str, client: ClientState, signal: EdgeSignal) -> Heard | None:
        """What fails without room to be kept may be part of a scan; of what works nobody knows whether it is new."""
        self._counters.refused_edges += 1
        if signal.action == "allowed":
            return None
        state = _new_state(signal)
        count = self._apply(state, signal)
        return Heard(key, self._facts(state, signal, client, was_failing=False), count, is_kept=False)

    def _keep(self, key: str, state: EdgeState) -> None:
        self._note_service(key, state)
        self._unproven.note(key, state)
        for gone, lost in self._shelf.put(key, state):
            self._counters.evicted_edges += 1
            self._gone(gone, lost)

    def _gone(self, key: str, state: EdgeState) -> None:
        self._unproven.forget(key, state.source)
        dialled = _dialled(state.source, state.service, state.service_port)
        if self._behind.get(dialled) == key:
            del self._behind[dialled]
        client = self._clients.known(state.source)
        if client is not None:
            client.edges = max(0, client.edges - 1)
            self._clients.keep(client)

    def _note_service(self, key: str, state: EdgeState) -> None:
        if state.service and state.destination.kind != SERVICE and state.worked:
            self._behind[_dialled(state.source, state.service, state.service_port)] = key

    def _apply(self, state: EdgeState, signal: EdgeSignal) -> int:
        state.heard_ns = max(state.heard_ns, signal.end_ns)
        state.nodes = list(dict.fromkeys((*signal.nodes, *state.nodes)))[:_MAXIMUM_NODES]
        state.domain = signal.domain or state.domain or self._domain(state.destination)
        if signal.service:
            state.service, state.service_port = signal.service, signal.service_port
        _apply_verdict(state, signal)
        if not signal.is_prompt:
            _count_starts(state, signal)
        if signal.action == "allowed":
            _apply_success(state, signal)
            return signal.started
        return self._apply_failure(state, signal)

    def _apply_failure(self, state: EdgeState, signal: EdgeSignal) -> int:
        at_ns = signal.end_ns if signal.is_prompt else signal.start_ns
        if signal.begun > signal.failed:
            # Others got through meanwhile, who knows in which order: it fails from now on at the earliest.
            state.opened_ns = max(state.opened_ns, at_ns - 1)
            state.failing_since_ns = max(state.failing_since_ns, state.opened_ns)
        if at_ns > state.opened_ns:
            if not state.is_failing:
                state.failing_since_ns = max(signal.start_ns, state.opened_ns)
            state.mode = signal.mode
        if signal.denied_by:
            state.denied_by = list(signal.denied_by[:MAXIMUM_POLICIES])
        state.nearest_miss = signal.nearest_miss or state.nearest_miss
        state.failed_ns = max(state.failed_ns, at_ns)
        added, evicted = put_entry(state.entries, _entry(signal, at_ns))
        self._counters.evicted_tallies += evicted
        return added

    def _facts(self, state: EdgeState, signal: EdgeSignal, client: ClientState, *, was_failing: bool) -> EdgeFacts:
        is_news = not state.worked or state.worked_since_ns >= signal.start_ns
        if is_news and signal.source != NOWHERE:
            self._clients.note_target(client, state.destination, state.port, signal.end_ns, works=state.worked)
            self._clients.keep(client)
        contact_ns = 0
        if state.destination.kind == OUTSIDE and signal.started:
            contact_ns = self._clients.note_contact(client, state.destination.name, state.domain, signal.start_ns)
        facts = EdgeFacts(state, signal, client, self._spans.is_current, contact_ns=contact_ns, was_failing=was_failing)
        facts.teach()
        return facts

    def _domain(self, destination: End) -> str:
        return self._domain_of(destination.name) if destination.kind == OUTSIDE else ""


def _new_state(signal: EdgeSignal) -> EdgeState:
    return EdgeState(signal.source, signal.destination, signal.port, signal.transport, signal.start_ns)


def _dialled(source: End, service: str, port: int) -> str:
    return f"{source.key}|{service}:{port}"


def _apply_verdict(state: EdgeState, signal: EdgeSignal) -> None:
    if signal.policies or signal.denied_by:
        state.selected_since_ns = state.selected_since_ns or signal.start_ns
        state.selected_until_ns = 0
    elif signal.verdict == "none":
        was_selected_ns = signal.end_ns - state.selected_since_ns if state.selected_since_ns else 0
        if was_selected_ns >= _LASTING_NS:
            state.selected_until_ns = signal.end_ns
        elif signal.end_ns - state.selected_until_ns > _FORGIVEN_NS:
            state.selected_until_ns = 0
        state.selected_since_ns = 0


def _apply_success(state: EdgeState, signal: EdgeSignal) -> None:
    if not signal.active and not signal.started:
        return
    state.worked_since_ns = min(state.worked_since_ns or signal.start_ns, signal.start_ns)
    state.worked_until_ns = max(state.worked_until_ns, signal.start_ns if state.is_failing else signal.end_ns)
    if signal.started:
        state.opened_ns = max(state.opened_ns, signal.start_ns)
        if state.mode != "denied" and signal.start_ns <= state.failed_ns <= signal.end_ns:
            # It failed within this window only: a rollout. What a policy denies stays denied until it is seen to work.
            state.opened_ns = state.failed_ns
    if not state.is_failing:
        state.mode, state.failing_since_ns = "", 0
        state.worked_until_ns = max(state.worked_until_ns, signal.end_ns)


def _count_starts(state: EdgeState, signal: EdgeSignal) -> None:
    """A window comes in several records: it teaches how often the edge is used when the next one begins."""
    if signal.end_ns > state.counted_ns:
        if state.counted_ns and state.counted_starts:
            state.starts.teach(state.counted_starts / state.counted_seconds, state.counted_ns)
        state.counted_ns, state.counted_starts = signal.end_ns, 0
        state.counted_seconds = max(1.0, (signal.end_ns - signal.start_ns) / 1e9)
    if signal.end_ns == state.counted_ns:
        state.counted_starts += signal.started


def _entry(signal: EdgeSignal, at_ns: int) -> Entry:
    emission = signal.emission
    if emission is not None:
        return Entry(
            emission.id, emission.revision, emission.partition, signal.end_ns, at_ns, signal.denied, signal.failed
        )
    place = signal.place
    name = signal.identity or (
        f"{place.topic}:{place.partition}:{place.offset}" if place else f"{signal.start_ns}:{signal.end_ns}"
    )
    return Entry(name, 0, -1, signal.end_ns, at_ns, signal.denied, signal.failed)
