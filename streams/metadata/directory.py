"""The names of a cluster at every instant: endpoints and services by address and time.

``Directory`` is a value that never changes; ``DirectoryBuilder`` takes records in and makes one when asked. An index
of an endpoint or a service, once given, means the same for ever.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from streams.metadata.claim import ENDLESS_NS, claim_frame
from streams.metadata.endpoint import Endpoint
from streams.metadata.pod import Holder, State, addresses_of, node_endpoint, pod_endpoint
from streams.metadata.service import Service, ServicePort

Record = Mapping[str, Any]
_PROTOCOLS: Final = {"TCP": 6, "UDP": 17, "SCTP": 132}
SERVICES: Final = {
    "address": pl.String(),
    "port": pl.Int32(),
    "protocol": pl.Int32(),
    "valid_from_ns": pl.Int64(),
    "valid_to_ns": pl.Int64(),
    "service_index": pl.UInt32(),
}


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything known at one version of the metadata."""

    version: int
    """Grows with every record."""
    endpoints: Sequence[Endpoint]
    services: Sequence[Service]
    claims: pl.DataFrame
    """CLAIMS, sorted by address and time, without overlaps."""
    service_claims: pl.DataFrame
    """SERVICES, sorted by address, port, protocol and time."""
    node_names: pl.Series
    """Name of the node of each endpoint, by index."""
    networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
    """Pod networks of the nodes: an address of theirs is inside the cluster even when nobody has it."""

    def is_inside(self, address: str) -> bool:
        """Whether an address without an endpoint belongs to the cluster all the same."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks if network.version == parsed.version)


class DirectoryBuilder:
    """Takes records of k8s.objects in the order of the log."""

    def __init__(self) -> None:
        self._version = 0
        self._endpoints: list[Endpoint] = []
        self._services: list[Service] = []
        self._holders: dict[str, Holder] = {}
        self._service_states: dict[str, list[int]] = {}
        self._namespace_labels: dict[str, Mapping[str, str]] = {}
        self._slices: dict[str, tuple[str, str, frozenset[str]]] = {}
        self._networks: dict[str, tuple[str, ...]] = {}
        self._made: Directory | None = None

    @property
    def version(self) -> int:
        """Number of records taken in."""
        return self._version

    def apply(self, key: str, record: Record | None) -> None:
        """Take one record in. A null is a tombstone: what it names was deleted before and stays for flows of then."""
        self._version += 1
        self._made = None
        if record is None:
            return
        if record["kind"] in ("Pod", "Node"):
            self._apply_holder(key, record)
        elif record["kind"] == "Service":
            self._apply_service(key, record)
        elif record["kind"] == "Namespace":
            self._namespace_labels[record["name"]] = record["labels"]
        elif record["kind"] == "EndpointSlice":
            self._apply_slice(key, record)

    def forget_before(self, at_ns: int) -> None:
        """Drop what ended before an instant which no flow can ask for any more; indices stay."""
        gone = [
            identity
            for identity, holder in self._holders.items()
            if holder.deleted_at_ns is not None and holder.deleted_at_ns < at_ns
        ]
        for identity in gone:
            for state in self._holders.pop(identity).states:
                self._endpoints[state.index] = _FORGOTTEN
            self._made = None

    def directory(self) -> Directory:
        """What is known now."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> Directory:
        self._name_services()
        claims = [claim for holder in self._holders.values() for claim in holder.claims()]
        return Directory(
            version=self._version,
            endpoints=tuple(self._endpoints),
            services=tuple(self._services),
            claims=claim_frame(claims),
            service_claims=self._service_claims(),
            node_names=pl.Series("node_name", [e.node_name for e in self._endpoints], dtype=pl.String),
            networks=_parsed({network for networks in self._networks.values() for network in networks}),
        )

    def _apply_holder(self, key: str, record: Record) -> None:
        """A pod's name can be used again by another pod: the UID tells them apart."""
        holder = self._holders.setdefault(record["uid"] or key, Holder())
        endpoint = pod_endpoint(record) if record["kind"] == "Pod" else node_endpoint(record)
        if record["kind"] == "Node":
            self._networks[record["name"]] = tuple(record["pod_cidrs"])
        holder.deleted_at_ns = record["deleted_at_ns"]
        holder.addresses = _merged(holder.addresses, addresses_of(record))
        if record["deleted_at_ns"] is not None and holder.states:
            return
        if holder.states and _means_the_same(holder.states[-1].endpoint, endpoint):
            last = holder.states[-1]
            last.endpoint = self._endpoints[last.index] = endpoint
            return
        holder.states.append(State(record["observed_at_ns"], len(self._endpoints), endpoint))
        holder.states.sort(key=lambda state: state.observed_at_ns)
        self._endpoints.append(endpoint)

    def _apply_service(self, key: str, record: Record) -> None:
        numbers = self._service_states.setdefault(key, [])
        end = record["deleted_at_ns"]
        state = Service(
            namespace=record["namespace"],
            name=record["name"],
            uid=record["uid"],
            addresses=tuple(address["address"] for address in record["addresses"]),
            ports=tuple(ServicePort(p["protocol"], p["port"], p["node_port"]) for p in record["ports"]),
            valid_from_ns=record["observed_at_ns"] if numbers else record["created_at_ns"],
            valid_to_ns=ENDLESS_NS if end is None else end,
        )
        if numbers:
            last = self._services[numbers[-1]]
            if (last.uid, last.addresses, last.ports) == (state.uid, state.addresses, state.ports):
                self._services[numbers[-1]] = replace(last, valid_to_ns=state.valid_to_ns)
                return
            self._services[numbers[-1]] = replace(last, valid_to_ns=min(last.valid_to_ns, state.valid_from_ns))
        numbers.append(len(self._services))
        self._services.append(state)

    def _apply_slice(self, key: str, record: Record) -> None:
        if record["deleted_at_ns"] is not None:
            self._slices.pop(key, None)
            return
        pods = frozenset(endpoint["pod_name"] for endpoint in record["endpoints"] if endpoint["pod_name"])
        self._slices[key] = (record["namespace"], record["service_name"], pods)

    def _name_services(self) -> None:
        """Give every pod its namespace's labels and the Services that lead to it, as known now."""
        services: dict[tuple[str, str], set[str]] = {}
        for namespace, service, pods in self._slices.values():
            for pod in pods:
                services.setdefault((namespace, pod), set()).add(service)
        for holder in self._holders.values():
            for state in holder.states:
                endpoint = state.endpoint
                named = tuple(sorted(services.get((endpoint.namespace, endpoint.name), ()))) or endpoint.services
                labels = self._namespace_labels.get(endpoint.namespace, endpoint.namespace_labels)
                if endpoint.services != named or endpoint.namespace_labels != labels:
                    state.endpoint = replace(endpoint, services=named, namespace_labels=labels)
                    self._endpoints[state.index] = state.endpoint

    def _service_claims(self) -> pl.DataFrame:
        rows = [
            (address, port.port, _PROTOCOLS.get(port.protocol, 0), service.valid_from_ns, service.valid_to_ns, index)
            for index, service in enumerate(self._services)
            for address in service.addresses
            for port in service.ports
        ]
        return pl.DataFrame(sorted(rows), schema=SERVICES, orient="row")


_FORGOTTEN: Final = Endpoint(kind="pod", name="", uid="")


def _means_the_same(old: Endpoint, new: Endpoint) -> bool:
    """Whether two states differ in nothing that names or judges a flow."""
    plain = replace(old, services=(), namespace_labels={}, addresses=new.addresses)
    return plain == new


def _merged(
    known: tuple[tuple[str, int, int], ...], told: tuple[tuple[str, int, int], ...]
) -> tuple[tuple[str, int, int], ...]:
    """A record that no longer tells an address does not take back that it was held."""
    fresh = {address for address, _, _ in told}
    return (*told, *(hold for hold in known if hold[0] not in fresh))


def _parsed(networks: set[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    parsed = []
    for network in sorted(networks):
        try:
            parsed.append(ipaddress.ip_network(network, strict=False))
        except ValueError:
            continue
    return parsed
