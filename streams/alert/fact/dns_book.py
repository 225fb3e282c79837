"""DNS by client: questions, failures, names that are not there, how long answers take.

Steps of search paths are no misses: most names that a pod looks up are first tried with each search domain after them.
They are told by the name that was found in the end, and by the shape of names that no Service can have.
"""

from dataclasses import replace
from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.fact.client_book import ClientBook, source_measures
from streams.alert.fact.domain_name import (
    is_expansion,
    is_internal,
    is_step,
    looks_generated,
    registered_domain,
    relatives,
)
from streams.alert.fact.edge_book import EdgeBook
from streams.alert.fact.subject import Context, Observation
from streams.alert.rule.condition import Value
from streams.alert.settings import AlertSettings
from streams.alert.signal.end import SERVICE, End
from streams.alert.signal.signal import DnsSignal
from streams.alert.state.client import Bucket, ClientState
from streams.alert.state.distinct import digest, distinct_after, note_distinct
from streams.alert.state.seen import is_replayed, note_place
from streams.alert.state.tally import KEPT_NS

BUCKET_NS: Final = 10 * 10**9
_MAXIMUM_NAMES: Final = 64
"""Of one bucket: a client that asks for more distinct names in ten seconds has its misses counted, not told apart."""
_MINUTE_NS: Final = 60 * 10**9
"""After that a bucket keeps counts only: a name that explains a step comes within the same minute. One record of each
minute teaches the baseline: an agent's interval is too short to."""
_MAXIMUM_STRANGE: Final = 128
_LEAST_LATENCY_US: Final = 5000


class DnsBook:
    """Clients, as far as they ask. ``edges``: who stands behind a Service, and whether policies deny it."""

    def __init__(
        self,
        clients: ClientBook,
        settings: AlertSettings,
        counters: AlertCounters,
        edges: EdgeBook,
    ) -> None:
        self._clients = clients
        self._domain = settings.cluster_domain
        self._counters = counters
        self._edges = edges

    def observe(self, signal: DnsSignal) -> Observation | None:
        """None for what was seen already."""
        state = self._clients.of(signal.source, signal.start_ns)
        if is_replayed(state.seen, signal.place):
            self._counters.replayed += 1
            return None
        note_place(state.seen, signal.place)
        signal = self._located(signal)
        self._apply(state, signal)
        rise = None
        if signal.mean_us is not None:
            rise = state.latency_us.rise(signal.mean_us, _LEAST_LATENCY_US)
            if signal.end_ns - state.latency_us.taught_ns >= _MINUTE_NS:
                state.latency_us.teach(signal.mean_us, signal.end_ns)
        self._clients.keep(state)
        return self._observation(state, signal, rise)

    def failing(self, client: End, at_ns: int, window_ns: int) -> tuple[int, int]:
        """Failures and questions of a client lately: what else may fail because of them."""
        state = self._clients.known(client)
        if state is None:
            return 0, 0
        buckets = [bucket for bucket in state.buckets if at_ns - window_ns < bucket.start_ns <= at_ns]
        return sum(bucket.failures for bucket in buckets), sum(bucket.queries for bucket in buckets)

    def _located(self, signal: DnsSignal) -> DnsSignal:
        """What is not answered names the Service only: then it is the server that answered before."""
        if signal.server.kind != SERVICE:
            return signal
        server = self._edges.behind(signal.source, signal.service, signal.service_port)
        return signal if server is None else replace(signal, server=server[0], server_port=server[1])

    def _apply(self, state: ClientState, signal: DnsSignal) -> None:
        state.heard_ns = max(state.heard_ns, signal.end_ns)
        bucket = self._bucket(state, signal.end_ns)
        bucket.queries += signal.count
        if signal.code == "NXDOMAIN":
            self._miss(state, bucket, signal)
        elif signal.code == "NOERROR":
            if signal.name not in bucket.found and len(bucket.found) < _MAXIMUM_NAMES:
                bucket.found.append(signal.name)
        else:
            bucket.failures += signal.count
            bucket.timeouts += signal.count if signal.code == "TIMEOUT" else 0

    def _miss(self, state: ClientState, bucket: Bucket, signal: DnsSignal) -> None:
        if is_expansion(signal.name, self._domain):
            bucket.steps += signal.count
            return
        if signal.name in bucket.missed or len(bucket.missed) < _MAXIMUM_NAMES:
            bucket.missed[signal.name] = bucket.missed.get(signal.name, 0) + signal.count
        else:
            bucket.missed_others += signal.count
            self._counters.evicted_names += 1
        domain = registered_domain(signal.name)
        if not is_internal(signal.name, self._domain) and looks_generated(domain):
            self._counters.evicted_names += note_distinct(
                state.strange, digest(domain), signal.end_ns, KEPT_NS, _MAXIMUM_STRANGE
            )

    def _bucket(self, state: ClientState, at_ns: int) -> Bucket:
        start_ns = at_ns - at_ns % BUCKET_NS
        for bucket in reversed(state.buckets):
            if bucket.start_ns == start_ns:
                return bucket
        made = Bucket(start_ns)
        state.buckets.append(made)
        state.buckets.sort(key=lambda bucket: bucket.start_ns)
        newest_ns = state.buckets[-1].start_ns
        state.buckets = [bucket for bucket in state.buckets if bucket.start_ns > newest_ns - KEPT_NS]
        self._settle(state, newest_ns - _MINUTE_NS)
        return made

    def _settle(self, state: ClientState, before_ns: int) -> None:
        if not any(bucket.missed or bucket.found for bucket in state.buckets if bucket.start_ns < before_ns):
            return
        found = self._found(state)
        for bucket in state.buckets:
            if bucket.start_ns < before_ns:
                bucket.missed_others += self._missed(bucket, found, state.end.namespace)[0]
                bucket.missed, bucket.found = {}, []

    def _found(self, state: ClientState) -> set[str]:
        names = (name for bucket in state.buckets for name in bucket.found)
        namespace = state.end.namespace
        return {relative for name in names for relative in relatives(name, namespace, self._domain)}

    def _missed(self, bucket: Bucket, found: set[str], namespace: str) -> tuple[int, int]:
        """Misses that are told apart and count, and steps of search paths."""
        if not bucket.missed:
            return 0, bucket.steps
        steps = sum(count for name, count in bucket.missed.items() if is_step(name, found, namespace, self._domain))
        return sum(bucket.missed.values()) - steps, bucket.steps + steps

    def _observation(self, state: ClientState, signal: DnsSignal, rise: float | None) -> Observation:
        is_failed = signal.code not in ("NOERROR", "NXDOMAIN")
        is_cut = is_failed and self._edges.is_denied(signal.source, signal.server, signal.server_port)

        names = self._found(state)

        def measures(window_ns: int) -> dict[str, Value]:
            found = {
                **self._counts(state, signal.end_ns - window_ns, names),
                "server": signal.server.title,
                "is_cut": is_cut,
            }
            if signal.p95_us is not None:
                found["latency_us"] = float(signal.p95_us)
            if rise is not None:
                found["latency_rise"] = rise
            return {**source_measures(signal.source, state.first_seen_ns, signal.end_ns), **found}

        return Observation(
            signal="dns",
            name=signal.source.key,
            title=signal.source.title,
            fields={"source.workload": signal.source.title, "destination.workload": signal.server.title},
            namespace=signal.source.namespace,
            workloads=tuple(dict.fromkeys(end.workload for end in (signal.source, signal.server) if end.workload)),
            start_ns=signal.start_ns,
            end_ns=signal.end_ns,
            facts=measures,
            count=signal.count if signal.code != "NOERROR" else 0,
            context=Context(
                mode="dns" if is_failed else "",
                source=signal.source,
                destination=signal.server,
                port=signal.server_port,
                transport="udp",
                service=signal.service,
                evidence=[f"{signal.code} for {signal.name[:200]}"] if signal.code != "NOERROR" else [],
            ),
        )

    def _counts(self, state: ClientState, after_ns: int, found: set[str]) -> dict[str, Value]:
        buckets = [bucket for bucket in state.buckets if bucket.start_ns + BUCKET_NS > after_ns]
        told = [self._missed(bucket, found, state.end.namespace) for bucket in buckets]
        queries = sum(bucket.queries for bucket in buckets)
        failures = sum(bucket.failures for bucket in buckets)
        missed = sum(count for count, _ in told) + sum(bucket.missed_others for bucket in buckets)
        meant = queries - sum(steps for _, steps in told)
        return {
            "queries": float(queries),
            "failures": float(failures),
            "failure_ratio": failures / max(queries, 1),
            "timeouts": float(sum(bucket.timeouts for bucket in buckets)),
            "missed": float(missed),
            "missed_ratio": missed / max(meant, 1),
            "random_domains": float(distinct_after(state.strange, after_ns)),
        }
