"""Pods and nodes as their records tell of them: the endpoint, and its addresses with the time in which it has them."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from streams.metadata.address import canonical
from streams.metadata.claim import ENDLESS_NS
from streams.metadata.endpoint import ContainerPort, Endpoint

Record = Mapping[str, Any]
_TERMINAL: Final = ("Succeeded", "Failed")


class Tenure(NamedTuple):
    """An address while it is held, [assigned, released), Unix time in ns."""

    address: str
    assigned_at_ns: int
    released_at_ns: int


def endpoint_of(record: Record) -> Endpoint:
    """Services and namespace labels are added where they are known."""
    return _pod(record) if record["kind"] == "Pod" else _node(record)


def tenures_of(record: Record) -> tuple[Tenure, ...]:
    """A pod on the node's network has no address of its own: the address is the node's."""
    if record["kind"] == "Pod" and record["host_network"]:
        return ()
    end = ENDLESS_NS if record["deleted_at_ns"] is None else record["deleted_at_ns"]
    if record["phase"] in _TERMINAL:
        end = min(end, record["observed_at_ns"])
    found = []
    for told in record["addresses"]:
        address = canonical(told["address"])
        released = ENDLESS_NS if told["released_at_ns"] is None else told["released_at_ns"]
        if address is not None:
            found.append(Tenure(address, told["assigned_at_ns"], min(end, released)))
    return tuple(found)


def _pod(record: Record) -> Endpoint:
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


def _node(record: Record) -> Endpoint:
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
