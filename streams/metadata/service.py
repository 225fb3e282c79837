"""Services as flows meet them: addresses and ports that somebody dials."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from streams.metadata.address import canonical
from streams.metadata.claim import ENDLESS_NS
from streams.metadata.history import History

Record = Mapping[str, Any]
PROTOCOLS: Final = {"TCP": 6, "UDP": 17, "SCTP": 132}
"""IANA numbers of what a Service can have."""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service."""

    protocol: str
    """TCP, UDP or SCTP."""
    port: int
    node_port: int
    """0 when there is none."""


@dataclass(frozen=True, slots=True)
class Service:
    """One state of a Service."""

    namespace: str
    name: str
    uid: str
    addresses: tuple[str, ...]
    """Cluster, external and load balancer addresses."""
    ports: tuple[ServicePort, ...]
    valid_from_ns: int
    valid_to_ns: int


class Dialled(NamedTuple):
    """What somebody can dial to reach a Service, and when."""

    address: str
    """Empty stands for any node's address."""
    port: int
    protocol: int
    valid_from_ns: int
    valid_to_ns: int
    service: int
    """Index of the Service."""


@dataclass(slots=True, eq=False)
class ServiceLife:
    """One Service, from its making to its deletion."""

    created_at_ns: int = 0
    told_at_ns: int = -1
    deleted_at_ns: int | None = None
    states: History[Service] = field(default_factory=History)
    numbered: list[tuple[int, Service]] = field(default_factory=list)
    """Numbers given out for the states, with what each was given for."""

    def take(self, record: Record) -> None:
        """Take in a record."""
        if record["observed_at_ns"] >= self.told_at_ns:
            self.told_at_ns = record["observed_at_ns"]
            self.deleted_at_ns = record["deleted_at_ns"]
        self.created_at_ns = record["created_at_ns"]
        if record["deleted_at_ns"] is None or not self.states:
            self.states.put(record["observed_at_ns"], _service(record))

    def timed(self) -> Iterator[Service]:
        """Its states with the times in which they hold."""
        end = ENDLESS_NS if self.deleted_at_ns is None else self.deleted_at_ns
        for span in self.states.spans():
            start, stop = max(span.start_ns, self.created_at_ns), min(span.end_ns, end)
            if start < stop:
                yield replace(span.value, valid_from_ns=start, valid_to_ns=stop)


def dialled(service: Service, index: int) -> Iterator[Dialled]:
    """Everything that leads to one state of a Service."""
    times = (service.valid_from_ns, service.valid_to_ns, index)
    for port in service.ports:
        protocol = PROTOCOLS.get(port.protocol)
        if protocol is None:
            continue
        for address in service.addresses:
            yield Dialled(address, port.port, protocol, *times)
        if port.node_port:
            yield Dialled("", port.node_port, protocol, *times)


def _service(record: Record) -> Service:
    addresses = dict.fromkeys(canonical(address["address"]) for address in record["addresses"])
    return Service(
        namespace=record["namespace"],
        name=record["name"],
        uid=record["uid"],
        addresses=tuple(address for address in addresses if address is not None),
        ports=tuple(ServicePort(port["protocol"], port["port"], port["node_port"]) for port in record["ports"]),
        valid_from_ns=0,
        valid_to_ns=ENDLESS_NS,
    )
