"""The measures of an edge, of one record and of the rule's window."""

from collections.abc import Callable
from typing import Final

from streams.alert.fact.clear_text import is_clear_text
from streams.alert.fact.client_book import destination_measures, source_measures
from streams.alert.rule.condition import Value
from streams.alert.signal.end import NOWHERE, OUTSIDE
from streams.alert.signal.signal import EdgeSignal
from streams.alert.state.client import ClientState
from streams.alert.state.edge import EdgeState
from streams.alert.state.tally import Entry, sums

_LEAST_PACKETS: Final = 100
"""Below, a single retransmission is a ratio that says nothing."""
_DNS_PORT: Final = 53
_LEAST_RATIO: Final = 0.005
_LEAST_RTT_US: Final = 1000
"""Within a data centre round trips are shorter; tripling those is no news."""


class EdgeFacts:
    """Of one signal. Made once, asked by every rule."""

    def __init__(
        self,
        state: EdgeState,
        signal: EdgeSignal,
        client: ClientState,
        is_current: Callable[[Entry], bool],
        *,
        contact_ns: int,
        was_failing: bool,
    ) -> None:
        self.state = state
        self.signal = signal
        self.was_failing = was_failing
        self._client = client
        self._is_current = is_current
        self._contact_ns = contact_ns
        self._base: dict[str, Value] | None = None
        self._by_window: dict[int, dict[str, Value]] = {}
        self._rises = self._risen()

    @property
    def client(self) -> ClientState:
        """Who dials."""
        return self._client

    @property
    def has_targets(self) -> bool:
        """Whether the source dialled anything new or never working lately."""
        return bool(self._client.targets) and self.signal.source != NOWHERE

    def measures(self, window_ns: int) -> dict[str, Value]:
        """By name."""
        known = self._by_window.get(window_ns)
        if known is None:
            if self._base is None:
                self._base = self._made()
            known = {**self._base, **self._windowed(window_ns)}
            self._by_window[window_ns] = known
        return known

    def teach(self) -> None:
        """Take the record into the edge's baselines."""
        signal, state = self.signal, self.state
        if signal.rtt_us is not None:
            state.rtt_us.teach(signal.rtt_us, signal.end_ns)
        if signal.packets >= _LEAST_PACKETS and signal.action == "allowed":
            state.retransmits.teach(signal.retransmits / signal.packets, signal.end_ns)

    def _risen(self) -> dict[str, Value]:
        """Before the baselines learn of the record themselves."""
        signal, state = self.signal, self.state
        found: dict[str, Value | None] = {}
        if signal.rtt_us is not None:
            found["rtt_us"] = float(signal.rtt_us)
            found["rtt_rise"] = state.rtt_us.rise(signal.rtt_us, _LEAST_RTT_US)
        if signal.packets >= _LEAST_PACKETS:
            ratio = signal.retransmits / signal.packets
            found["retransmit_ratio"] = ratio
            found["retransmit_rise"] = state.retransmits.rise(ratio, _LEAST_RATIO)
        return {name: value for name, value in found.items() if value is not None}

    def _made(self) -> dict[str, Value]:
        signal, state = self.signal, self.state
        source, destination = state.source, state.destination
        return {
            **source_measures(source, self._client.first_seen_ns, signal.end_ns),
            **destination_measures(destination, state.port),
            **self._rises,
            "destination": f"{destination.title} ({state.domain})" if state.domain else destination.title,
            "service": state.service,
            "domain": state.domain,
            "transport": state.transport,
            "protocol": signal.protocol,
            "is_dns": signal.protocol == "dns" or _DNS_PORT in (state.port, state.service_port),
            "direction": signal.direction,
            "verdict": signal.verdict,
            "coverage": signal.coverage,
            "mode": state.mode if state.is_failing else "",
            "scope": self._scope(),
            "worked": state.worked,
            "works": signal.started > 0 and not state.is_failing,
            "is_failing": self._is_failing(),
            "is_drift": signal.is_drift,
            "is_prompt": signal.is_prompt,
            "is_total": 0 < signal.begun <= signal.failed,
            "is_cross_namespace": bool(
                source.namespace and destination.namespace and source.namespace != destination.namespace
            ),
            "is_outside": destination.kind == OUTSIDE,
            "is_clear_text": is_clear_text(signal.protocol, state.port, state.transport),
            "is_unprotected": signal.verdict == "none",
            "lost_policy": bool(state.selected_until_ns),
            "known_seconds": max(0, signal.end_ns - state.first_seen_ns) / 1e9,
            "started": float(signal.started),
            "bytes": float(signal.bytes),
            "packets": float(signal.packets),
            "retransmits": float(signal.retransmits),
        }

    def _windowed(self, window_ns: int) -> dict[str, Value]:
        state, after_ns = self.state, self.signal.end_ns - window_ns
        denied, failed, failures = 0, 0, 0
        if state.entries:
            denied, failed = sums(state.entries, after_ns, self._is_current)
            since = [entry for entry in state.entries if entry.at_ns > state.opened_ns]
            failures = sum(sums(since, after_ns, self._is_current))
        begun_ns = state.worked_since_ns or state.first_seen_ns
        return {
            "is_new": begun_ns >= after_ns,
            "is_new_contact": self._contact_ns > 0 and self._contact_ns >= after_ns,
            "denied": float(denied),
            "failed": float(failed),
            "failures": float(failures),
            **self._failure(failures),
        }

    def _is_failing(self) -> bool:
        """A window in which something got through as well proves nothing of the order."""
        is_clear = self.signal.is_prompt or self.signal.start_ns > self.state.opened_ns
        return self.state.is_failing and self.signal.action != "allowed" and is_clear

    def _failure(self, failures: int) -> dict[str, Value]:
        """Since when, and which share of what the edge does otherwise."""
        state = self.state
        if not state.is_failing:
            return {"failing_seconds": 0.0, "failure_share": 0.0}
        seconds = max(0, self.signal.end_ns - state.failing_since_ns) / 1e9
        usual = state.starts.baseline
        share = 1.0 if not usual else min(1.0, failures / max(1.0, usual * seconds))
        return {"failing_seconds": seconds, "failure_share": share}

    def _scope(self) -> str:
        state = self.state
        if state.mode == "denied" and state.denied_by:
            return policy_scope(state.denied_by[0])
        if state.destination.namespace:
            return state.destination.namespace
        return "outside" if state.destination.kind == OUTSIDE else state.destination.title


def policy_scope(policy: str) -> str:
    """The namespace of ``Kind:namespace/name[:tier]:rule=N:action``, or kind and name for one of the cluster."""
    kind, _, rest = policy.partition(":")
    name = rest.partition(":")[0]
    namespace, slash, _ = name.partition("/")
    return namespace if slash else f"{kind} {name}"
