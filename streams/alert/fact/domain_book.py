"""Names under one registered domain, by client: what carries data in names has many, long and like no words."""

from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.fact.client_book import ClientBook, source_measures
from streams.alert.fact.domain_name import entropy, is_internal, registered_domain
from streams.alert.fact.subject import Context, Observation
from streams.alert.rule.condition import Value
from streams.alert.settings import AlertSettings
from streams.alert.signal.signal import DnsSignal
from streams.alert.state.client import DomainState
from streams.alert.state.distinct import digest, distinct_after, note_distinct
from streams.alert.state.seen import is_replayed, note_place
from streams.alert.state.shelf import Shelf
from streams.alert.state.tally import KEPT_NS

_NOTABLE_LENGTH: Final = 12
"""Of what stands before the domain: shorter names carry next to nothing."""
_MAXIMUM_NAMES: Final = 512


class DomainBook:
    """Domains by client."""

    def __init__(
        self, shelf: Shelf[DomainState], clients: ClientBook, settings: AlertSettings, counters: AlertCounters
    ) -> None:
        self._shelf = shelf
        self._clients = clients
        self._settings = settings
        self._counters = counters

    def observe(self, signal: DnsSignal) -> Observation | None:
        """None for names that carry nothing, and for what was seen already."""
        domain = registered_domain(signal.name)
        before = signal.name[: -len(domain) - 1]
        if len(before) < _NOTABLE_LENGTH or is_internal(signal.name, self._settings.cluster_domain):
            return None
        key = self._shelf.key(f"{signal.source.key}|{domain}")
        state = self._shelf.get(key) or DomainState(signal.start_ns)
        if is_replayed(state.seen, signal.place):
            return None
        note_place(state.seen, signal.place)
        self._apply(state, signal, before)
        self._counters.evicted_domains += len(self._shelf.put(key, state))
        return self._observation(state, signal, domain)

    def _apply(self, state: DomainState, signal: DnsSignal, before: str) -> None:
        if signal.end_ns - state.start_ns > KEPT_NS:
            state.start_ns, state.queries, state.length_sum, state.entropy_sum = signal.end_ns, 0, 0, 0.0
        state.heard_ns = max(state.heard_ns, signal.end_ns)
        state.queries += signal.count
        state.length_sum += signal.count * len(before)
        state.entropy_sum += signal.count * entropy(before.replace(".", ""))
        self._counters.evicted_names += note_distinct(
            state.names, digest(signal.name), signal.end_ns, KEPT_NS, _MAXIMUM_NAMES
        )

    def _observation(self, state: DomainState, signal: DnsSignal, domain: str) -> Observation:
        source = signal.source
        client = self._clients.of(source, signal.start_ns)

        def measures(window_ns: int) -> dict[str, Value]:
            return {
                **source_measures(source, client.first_seen_ns, signal.end_ns),
                "domain": domain,
                "queries": float(state.queries),
                "names": float(distinct_after(state.names, signal.end_ns - window_ns)),
                "mean_length": state.length_sum / state.queries,
                "entropy": state.entropy_sum / state.queries,
            }

        return Observation(
            signal="domain",
            name=f"{source.key}|{domain}",
            title=f"{source.title} → {domain}",
            fields={"source.workload": source.title, "domain": domain},
            namespace=source.namespace,
            workloads=(source.workload,) if source.workload else (),
            start_ns=signal.start_ns,
            end_ns=signal.end_ns,
            facts=measures,
            count=signal.count,
            context=Context(source=source, domain=domain, evidence=[f"such as {signal.name[:200]}"]),
        )
