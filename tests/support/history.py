"""Windows, flows and hits as the worker writes them, for a cluster of a test's own."""

from collections.abc import Mapping
from typing import Any

from tests.unit.streams.index.builders import AT_NS, flow, policy_hit, window

Record = dict[str, Any]
SECOND = 1_000_000_000
AT_MS = AT_NS // 1_000_000


def inside(name: str, pod: str = "", *, namespace: str = "shop", labels: Mapping[str, str] | None = None) -> Record:
    """The ``kubernetes`` record of a workload, or of one of its pods."""
    return {
        "namespace": namespace,
        "pod": {"name": pod, "uid": f"uid-{pod}"} if pod else None,
        "workload": {"kind": "Deployment", "name": name},
        "node": {"name": "node1"} if pod else None,
        "service": None,
        "labels": dict(labels or {"app": name}) if pod else {},
    }


def node(name: str) -> Record:
    """The ``kubernetes`` record of a node."""
    workload = {"kind": "Node", "name": name}
    return {"namespace": None, "pod": None, "workload": workload, "node": {"name": name}, "service": None, "labels": {}}


def seen_window(
    identity: str, source: Record | str, destination: Record | str, port: int, *, cluster: str, **facts: Any
) -> Record:
    """An end in text is an address outside the cluster; ``action``, ``started``, ``at`` in seconds, ``revision``."""
    at_ns = AT_NS + int(facts.get("at", 0) * SECOND)
    record = window(identity, facts.get("revision", 1), timestamp_ns=at_ns)
    record["cluster"] = cluster
    record["replaces"] = facts.get("replaces", False)
    record["event"]["action"] = facts.get("action", "allowed")
    record["flow"]["connections"] |= {"started": facts.get("started", 1), "active": facts.get("active", 1)}
    record["flow"]["coverage"] = facts.get("coverage", "complete")
    record["network"]["bytes"] = facts.get("size", 200)
    _place(record, source, destination, port)
    return record


def seen_flow(
    identity: str, source: tuple[Record | str, str], destination: tuple[Record | str, str], port: int, *, cluster: str,
    **facts: Any,
) -> Record:  # fmt: skip
    """Each end with its address."""
    at_ns = AT_NS + int(facts.get("at", 0) * SECOND)
    record = flow(identity, facts.get("revision", 1), timestamp_ns=at_ns)
    record["cluster"] = cluster
    record["event"]["action"] = facts.get("action", "allowed")
    _place(record, source[0], destination[0], port)
    record["source"]["ip"], record["destination"]["ip"] = source[1], destination[1]
    record["destination"]["domain"] = facts.get("domain")
    return record


def seen_hit(identity: str, name: str, rule: int, *, cluster: str, **facts: Any) -> Record:
    """What a rule of shop's NetworkPolicy decided."""
    record = policy_hit(identity, facts.get("revision", 1), timestamp_ns=AT_NS + int(facts.get("at", 0) * SECOND))
    record["cluster"] = cluster
    record["policy"] |= {"name": name, "rule": rule, "action": "deny" if rule < 0 else "allow"}
    record["policy"] |= {"direction": facts.get("direction", "ingress")}
    record |= {"allowed": 0 if rule < 0 else record["connections"], "denied": record["connections"] if rule < 0 else 0}
    return record


def _place(record: Record, source: Record | str, destination: Record | str, port: int) -> None:
    for side, end in (("source", source), ("destination", destination)):
        is_outside = isinstance(end, str)
        record[side] |= {"ip": end if is_outside else "", "kubernetes": None if is_outside else end}
    record["destination"]["port"] = port
