"""Pods and nodes from their records: states, each an Endpoint with the time in which it holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.metadata.claim import ENDLESS_NS, Claim
from streams.metadata.endpoint import ContainerPort, Endpoint

Record = Mapping[str, Any]


@dataclass(slots=True)
class State:
    """One state of one pod or node."""

    observed_at_ns: int
    index: int
    endpoint: Endpoint


@dataclass(slots=True)
class Holder:
    """A pod or node through its life: its states in order of time, and the addresses as last told."""

    states: list[State] = field(default_factory=list)
    addresses: tuple[tuple[str, int, int], ...] = ()
    """(address, assigned, released), Unix time in ns."""
    deleted_at_ns: int | None = None

    def claims(self) -> Iterator[Claim]:
        """Each address in each state: the first state holds from the assignment on."""
        for number, state in enumerate(self.states):
            begins = 0 if number == 0 else state.observed_at_ns
            ends = self.states[number + 1].observed_at_ns if number + 1 < len(self.states) else ENDLESS_NS
            for address, assigned, released in self.addresses:
                start, end = max(begins, assigned), min(ends, released)
                if start < end:
                    yield Claim(address, start, assigned, end, state.index)


def pod_endpoint(record: Record) -> Endpoint:
    """Services and namespace labels are added when they are known."""
    workload = record["workload"] or {"kind": "Pod", "name": record["name"]}
    return Endpoint(
        kind="pod",
        name=record["name"],
        uid=record["uid"],
        namespace=record["namespace"],
        labels=record["labels"],
        workload_kind=workload["kind"],
        workload_name=workload["name"],
        node_name=record["node_name"],
        service_account=record["service_account"],
        host_network=record["host_network"],
        addresses=tuple(address["address"] for address in record["addresses"]),
        ports=tuple(ContainerPort(port["name"], port["protocol"], port["port"]) for port in record["ports"]),
    )


def node_endpoint(record: Record) -> Endpoint:
    """A node lives on itself."""
    return Endpoint(
        kind="node",
        name=record["name"],
        uid=record["uid"],
        labels=record["labels"],
        workload_kind="Node",
        workload_name=record["name"],
        node_name=record["name"],
        host_network=True,
        addresses=tuple(address["address"] for address in record["addresses"]),
    )


def addresses_of(record: Record) -> tuple[tuple[str, int, int], ...]:
    """Addresses with the time in which they are held; a pod on the node's network holds none of its own."""
    if record["host_network"] and record["kind"] == "Pod":
        return ()
    deleted = record["deleted_at_ns"]
    end = ENDLESS_NS if deleted is None else deleted
    return tuple(
        (
            address["address"],
            address["assigned_at_ns"],
            min(end, ENDLESS_NS if address["released_at_ns"] is None else address["released_at_ns"]),
        )
        for address in record["addresses"]
    )
