"""HTTP by client and server: errors and latency against their own baseline, which whole minutes teach."""

from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.fact.client_book import ClientBook, destination_measures, source_measures
from streams.alert.fact.subject import Context, Observation
from streams.alert.rule.condition import Value
from streams.alert.signal.signal import HttpSignal
from streams.alert.state.client import PairState
from streams.alert.state.seen import is_replayed, note_place
from streams.alert.state.shelf import Shelf
from streams.alert.state.tally import KEPT_NS

_BUCKET_NS: Final = 60 * 10**9
_LEAST_ERRORS: Final = 0.001
_LEAST_LATENCY_US: Final = 2000
_LEAST_REQUESTS: Final = 10
"""Of a minute that teaches."""
_NOTHING: Final = (0, 0, 0, 0, 0)
_MAXIMUM_PATH: Final = 200
"""Characters of a path that are kept and told."""


class HttpBook:
    """Pairs of client and server."""

    def __init__(self, shelf: Shelf[PairState], clients: ClientBook, counters: AlertCounters) -> None:
        self._shelf = shelf
        self._clients = clients
        self._counters = counters

    def observe(self, signal: HttpSignal) -> Observation | None:
        """None for what was seen already."""
        name = f"{signal.source.key}|{signal.destination.key}|{signal.port}"
        key = self._shelf.key(name)
        state = self._shelf.get(key) or PairState(signal.start_ns, first_seen_ns=signal.start_ns)
        if is_replayed(state.seen, signal.place):
            self._counters.replayed += 1
            return None
        note_place(state.seen, signal.place)
        state.heard_ns = max(state.heard_ns, signal.end_ns)
        _apply(state, signal)
        self._counters.evicted_pairs += len(self._shelf.put(key, state))
        return self._observation(name, state, signal)

    def _observation(self, name: str, state: PairState, signal: HttpSignal) -> Observation:
        source, destination = signal.source, signal.destination
        client = self._clients.of(source, signal.start_ns)
        is_error = signal.action != "answered"

        def measures(window_ns: int) -> dict[str, Value]:
            return {
                **source_measures(source, client.first_seen_ns, signal.end_ns),
                **destination_measures(destination, signal.port),
                **_counts(state, signal.end_ns - window_ns),
                "path": state.failed_path,
            }

        return Observation(
            signal="http",
            name=name,
            title=f"{source.title} → {destination.title}:{signal.port}",
            fields={
                "source.workload": source.title,
                "destination.workload": destination.title,
                "port": str(signal.port),
                "protocol": "http",
            },
            namespace=destination.namespace or source.namespace,
            workloads=tuple(dict.fromkeys(end.workload for end in (source, destination) if end.workload)),
            start_ns=signal.start_ns,
            end_ns=signal.end_ns,
            facts=measures,
            count=signal.count if is_error else 0,
            context=Context(
                mode="error" if is_error else "slow",
                source=source,
                destination=destination,
                port=signal.port,
                transport="tcp",
                service=signal.service,
                evidence=[f"status {signal.status or 'unknown'} for {signal.path[:_MAXIMUM_PATH]}"] if is_error else [],
            ),
        )


def _apply(state: PairState, signal: HttpSignal) -> None:
    start_ns = signal.end_ns - signal.end_ns % _BUCKET_NS
    if not state.buckets or start_ns > state.buckets[-1][0]:
        _teach(state)
        state.buckets.append((start_ns, *_NOTHING[1:]))
        state.buckets = [bucket for bucket in state.buckets if bucket[0] > start_ns - KEPT_NS]
    index = next((at for at, bucket in enumerate(state.buckets) if bucket[0] == start_ns), 0)
    at_ns, requests, errors, timed, latency_us = state.buckets[index]
    is_timed = signal.mean_us is not None
    if signal.action != "answered":
        state.failed_path = signal.path[:_MAXIMUM_PATH]
    state.buckets[index] = (
        at_ns,
        requests + signal.count,
        errors + (signal.count if signal.action != "answered" else 0),
        timed + (signal.count if is_timed else 0),
        latency_us + (signal.count * (signal.mean_us or 0)),
    )


def _teach(state: PairState) -> None:
    """From the minute that is over now."""
    if not state.buckets:
        return
    start_ns, requests, errors, timed, latency_us = state.buckets[-1]
    if requests >= _LEAST_REQUESTS:
        state.errors.teach(errors / requests, start_ns + _BUCKET_NS)
    if timed >= _LEAST_REQUESTS:
        state.latency_us.teach(latency_us / timed, start_ns + _BUCKET_NS)


def _counts(state: PairState, after_ns: int) -> dict[str, Value]:
    buckets = [bucket for bucket in state.buckets if bucket[0] + _BUCKET_NS > after_ns]
    requests, errors, timed, latency_us = (sum(bucket[place] for bucket in buckets) for place in range(1, 5))
    ratio = errors / max(requests, 1)
    found: dict[str, Value | None] = {
        "requests": float(requests),
        "errors": float(errors),
        "error_ratio": ratio,
        "error_rise": state.errors.rise(ratio, _LEAST_ERRORS),
    }
    if timed:
        found["latency_us"] = latency_us / timed
        found["latency_rise"] = state.latency_us.rise(latency_us / timed, _LEAST_LATENCY_US)
    return {name: value for name, value in found.items() if value is not None}
