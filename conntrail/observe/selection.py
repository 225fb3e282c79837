"""The options of ``conntrail observe`` as conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conntrail.observe.condition import AnyCondition, Condition, FilterError, Named, checked_networks, ends
from conntrail.observe.exchange_selection import EXCHANGE_FILTERS, exchange_conditions
from conntrail.observe.label import Labelled, parse_label_selector
from conntrail.observe.number import Within, ports

_ACTIONS = ("allowed", "denied", "failed")
_TRANSPORTS = ("tcp", "udp", "sctp", "icmp", "ipv6-icmp")
PROTOCOLS: Final = (*_TRANSPORTS, "dns", "http", "http2", "tls", "ssh")
"""The usual ones, of which a shell completes."""
_OF_ENDS: Final = ("namespace", "pod", "workload", "service", "ip", "port", "label")
_OF_FLOWS: Final = ("verdict", "protocol", "policy", "node_name", "ip_version")
_ENDS: Final = {"any": "", "source": "from_", "destination": "to_"}
FILTERS: Final = (*(f"{prefix}{kind}" for prefix in _ENDS.values() for kind in _OF_ENDS), *_OF_FLOWS, *EXCHANGE_FILTERS)
"""Names of the options that select; ``from_pod`` is ``--from-pod``."""
_POLICIES: Final = ("policy.denied_by", "policy.ingress.policies", "policy.egress.policies")
_REPORTERS: Final = ("observer.nodes", "observer.name", "kubernetes.node.name")


def selected(values: Mapping[str, Sequence[str]]) -> list[AnyCondition]:
    """Conditions of filters by name, all of which must hold. Raises FilterError when a value cannot be understood."""
    found: list[AnyCondition] = []
    for end, prefix in _ENDS.items():
        found += EndSelection(end, *(values.get(f"{prefix}{kind}", ()) for kind in _OF_ENDS)).conditions()
    found += flow_conditions(values.get("verdict", ()), values.get("protocol", ()))
    found += [
        condition
        for condition in (
            _condition(_POLICIES, [_of_policy(name) for name in values.get("policy", ())]),
            _condition(_REPORTERS, values.get("node_name", ())),
            _condition(("network.type",), [f"ipv{version}" for version in values.get("ip_version", ())]),
        )
        if condition is not None
    ]
    return found + exchange_conditions(values)


@dataclass(frozen=True, slots=True)
class EndSelection:
    """What is asked of one end; ``end`` is source, destination or any."""

    end: str
    namespaces: Sequence[str] = ()
    pods: Sequence[str] = ()
    workloads: Sequence[str] = ()
    services: Sequence[str] = ()
    networks: Sequence[str] = ()
    ports: Sequence[str] = ()
    labels: Sequence[str] = ()

    def conditions(self) -> list[AnyCondition]:
        """Raise FilterError when a value cannot be understood.

        What is asked of any end may also be what an event or an audit document is about.
        """
        found: list[AnyCondition | None] = [
            _condition(self._of_ends("kubernetes.namespace"), self.namespaces),
            self._named("pod.name", self.pods),
            self._named("workload.name", self.workloads),
            self._services(),
            Within(ends(self.end, "port"), ports(self.ports)) if self.ports else None,
            self._labelled(),
        ]
        if self.networks:
            fields = ("related.ip",) if self.end == "any" else ends(self.end, "ip")
            found.append(Condition(fields, checked_networks(self.networks), "network"))
        return [condition for condition in found if condition is not None]

    def _labelled(self) -> Labelled | None:
        if not self.labels:
            return None
        sides = ("source", "destination") if self.end == "any" else (self.end,)
        return Labelled(sides, tuple(map(parse_label_selector, self.labels)))

    def _of_ends(self, field: str) -> tuple[str, ...]:
        return (*ends(self.end, field), field) if self.end == "any" else ends(self.end, field)

    def _named(self, field: str, values: Sequence[str]) -> Named | None:
        namespaces, names = self._of_ends("kubernetes.namespace"), self._of_ends(f"kubernetes.{field}")
        # A policy's event or audit is about no workload alone, but touches those that it selects.
        whole = ("related.workloads",) if self.end == "any" and field == "workload.name" else ()
        return Named(tuple(zip(namespaces, names, strict=True)), tuple(values), whole) if values else None

    def _services(self) -> Named | None:
        """A Service is an end's own, or the one that was dialled."""
        if not self.services:
            return None
        named = zip(self._of_ends("kubernetes.namespace"), self._of_ends("kubernetes.service.name"), strict=True)
        fields = list(named)
        if self.end != "source":
            fields.append(("destination.service.namespace", "destination.service.name"))
        return Named(tuple(fields), tuple(self.services))


def flow_conditions(verdicts: Sequence[str], protocols: Sequence[str]) -> list[AnyCondition]:
    """What is asked of the flow as a whole. Raises FilterError for a word that means nothing."""
    for verdict in verdicts:
        if verdict not in _ACTIONS:
            raise FilterError(f"--verdict {verdict}: expected {', '.join(_ACTIONS)}")
    lowered = tuple(protocol.lower() for protocol in protocols)
    fields = ("network.transport",) if all(p in _TRANSPORTS for p in lowered) else (
        "network.transport", "network.protocol", "network.iana_number",
    )  # fmt: skip
    found = [_condition(("event.action",), verdicts), _condition(fields, lowered)]
    return [condition for condition in found if condition is not None]


def _condition(fields: tuple[str, ...], values: Sequence[str]) -> Condition | None:
    return Condition(fields, tuple(values)) if values else None


def _of_policy(name: str) -> str:
    """Of ``Kind:namespace/name[:tier]:rule=N:action``; cluster-wide kinds have no namespace."""
    return f"*:{name}:*" if "/" in name else f"*/{name}:*"
