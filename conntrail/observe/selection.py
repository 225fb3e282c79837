"""The options of ``conntrail observe`` as conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

from conntrail.observe.condition import AnyCondition, Condition, FilterError, Named, checked_networks, ends

_ACTIONS = ("allowed", "denied", "failed")
_TRANSPORTS = ("tcp", "udp", "sctp", "icmp", "ipv6-icmp")
_MAXIMUM_PORT = 65535


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

    def conditions(self) -> list[AnyCondition]:
        """Raise FilterError when a value cannot be understood.

        What is asked of any end may also be what an event or an audit document is about.
        """
        found: list[AnyCondition | None] = [
            _condition(self._of_ends("kubernetes.namespace"), self.namespaces),
            self._named("pod.name", self.pods),
            self._named("workload.name", self.workloads),
            self._services(),
            _condition(ends(self.end, "port"), _checked_ports(self.ports)),
        ]
        if self.networks:
            fields = ("related.ip",) if self.end == "any" else ends(self.end, "ip")
            found.append(Condition(fields, checked_networks(self.networks), "network"))
        return [condition for condition in found if condition is not None]

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


def _checked_ports(values: Sequence[str]) -> tuple[str, ...]:
    for value in values:
        if not (value.isascii() and value.isdigit()) or int(value) > _MAXIMUM_PORT:
            raise FilterError(f"--port {value}: expected a number up to {_MAXIMUM_PORT}")
    return tuple(str(int(value)) for value in values)
