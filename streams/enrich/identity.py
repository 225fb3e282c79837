"""Endpoints in the words of the records: what Kubernetes calls each end, and numbers for workloads to group by."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from streams.metadata.directory import Directory
from streams.metadata.endpoint import Endpoint
from streams.metadata.service import Service


class Workload(NamedTuple):
    """What a window is kept for: a workload of a namespace, or a node."""

    namespace: str
    kind: str
    name: str


def kubernetes_record(endpoint: Endpoint, service: str | None = None) -> dict[str, Any]:
    """The ``kubernetes`` record of one end. ``service``: the one that was dialled, when one was."""
    name = service or (endpoint.services[0] if endpoint.services else None)
    return {
        "namespace": endpoint.namespace or None,
        "pod": {"name": endpoint.name, "uid": endpoint.uid} if endpoint.kind == "pod" else None,
        "workload": _workload_record(workload_of(endpoint)),
        "node": {"name": endpoint.node_name} if endpoint.node_name else None,
        "service": {"name": name} if name else None,
        "labels": dict(endpoint.labels),
    }


def workload_kubernetes_record(workload: Workload) -> dict[str, Any]:
    """The same of a whole workload: no pod, no node, no labels."""
    return {
        "namespace": workload.namespace or None,
        "pod": None,
        "workload": _workload_record(workload),
        "node": {"name": workload.name} if workload.kind == "Node" else None,
        "service": None,
        "labels": {},
    }


def workload_of(endpoint: Endpoint) -> Workload:
    """Top of the owner chain; a node stands for itself."""
    if endpoint.kind == "node":
        return Workload("", "Node", endpoint.name)
    return Workload(endpoint.namespace, endpoint.workload_kind or "Pod", endpoint.workload_name or endpoint.name)


def workload_key(workload: Workload | None, address: str) -> str:
    """Kafka key of what is keyed by a workload; an end outside the cluster goes by its address."""
    return address if workload is None else f"{workload.namespace}/{workload.kind}/{workload.name}"


def service_record(row: Mapping[str, Any], directory: Directory) -> dict[str, Any] | None:
    """The Service that was dialled, of a row with ``service_index`` and the addresses; None when none was."""
    index = row["service_index"]
    if index is None:
        return None
    service = directory.services[index]
    return {
        "name": service.name,
        "namespace": service.namespace,
        "ip": row["dialled_address"] or row["destination_address"],
        "port": row["destination_port"] if row["dialled_port"] is None else row["dialled_port"],
    }


class WorkloadNumbers:
    """A number for each workload, and each endpoint's workload as a column to group by."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        numbers: dict[Workload, int] = {}
        column = [numbers.setdefault(workload_of(endpoint), len(numbers)) for endpoint in endpoints]
        self.workloads = list(numbers)
        self._column = pl.Series("workload", column, dtype=pl.UInt32)

    def of(self, index: pl.Series) -> pl.Series:
        """Workload numbers of endpoint indices; null stays null."""
        if not len(self._column):
            return pl.Series([None] * len(index), dtype=pl.UInt32)
        return self._column.gather(index)


def service_numbers(services: Sequence[Service]) -> pl.Series:
    """For each index of a Service the first one of the same name: a Service has an index for each of its states."""
    first: dict[tuple[str, str], int] = {}
    numbers = [first.setdefault((of.namespace, of.name), index) for index, of in enumerate(services)]
    return pl.Series("service", numbers, dtype=pl.UInt32)


def _workload_record(workload: Workload) -> dict[str, str]:
    return {"kind": workload.kind, "name": workload.name}
