"""One side of an edge: a workload, a node, a Service behind which nothing stands, or an address outside."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

OUTSIDE: Final = "Outside"
SERVICE: Final = "Service"
NODE: Final = "Node"


class End(NamedTuple):
    """``name`` is an address for kind Outside; ``*`` stands for all of them."""

    namespace: str
    kind: str
    name: str

    @property
    def title(self) -> str:
        """In words."""
        if self.kind == NODE:
            return f"node/{self.name}"
        if self.kind == OUTSIDE:
            return "outside" if self.name == "*" else self.name
        return f"{self.namespace}/{self.name}"

    @property
    def key(self) -> str:
        """Part of keys of the state."""
        return f"{self.namespace}/{self.kind}/{self.name}"

    @property
    def is_workload(self) -> bool:
        """Of a namespace."""
        return self.kind not in (OUTSIDE, NODE, SERVICE)

    @property
    def workload(self) -> str:
        """As records name workloads; empty when it is none."""
        return f"{self.namespace}/{self.name}" if self.is_workload else ""


NOWHERE: Final = End("", OUTSIDE, "*")
"""Sources outside the cluster are chosen by whoever sends packets: all of them are one."""


def source_end(record: Mapping[str, Any]) -> End:
    """Of a ``source`` record of windows, flows, dns, l7 or denials."""
    return _inside(record) or NOWHERE


def destination_end(record: Mapping[str, Any]) -> End:
    """Of a ``destination`` record."""
    inside = _inside(record)
    if inside is not None:
        return inside
    service = record.get("service")
    if service:
        return End(service["namespace"], SERVICE, service["name"])
    return End("", OUTSIDE, record["ip"] or "*")


def service_of(record: Mapping[str, Any]) -> tuple[str, int]:
    """The Service dialled as namespace/name and its port; empty and 0 when none was."""
    service = record.get("service")
    return (f"{service['namespace']}/{service['name']}", service["port"]) if service else ("", 0)


def node_of(record: Mapping[str, Any]) -> str:
    """The node that an end runs on; empty when not told."""
    kubernetes = record.get("kubernetes")
    node = kubernetes.get("node") if kubernetes else None
    return str(node["name"]) if node else ""


def _inside(record: Mapping[str, Any]) -> End | None:
    kubernetes = record.get("kubernetes")
    if not kubernetes:
        return None
    workload = kubernetes.get("workload")
    if workload:
        return End(kubernetes.get("namespace") or "", workload["kind"], workload["name"])
    pod = kubernetes.get("pod")
    return End(kubernetes.get("namespace") or "", "Pod", pod["name"]) if pod else None
