"""What happened in the cluster, as far as it may be a cause: changes, and events that tell of trouble."""

from typing import Final

import msgspec

from streams.alert.signal.signal import ChangeSignal, EventSignal

_KINDS: Final = {
    "EndpointSlice": "endpoints",
    "Endpoints": "endpoints",
    "Service": "endpoints",
    "Pod": "pod",
    "Node": "node",
    "Namespace": "namespace",
    "Certificate": "certificate",
    "CertificateRequest": "certificate",
    "Issuer": "certificate",
    "Secret": "certificate",
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job"), "rollout"),
}
_POLICY_KINDS: Final = frozenset({"Tier", "NetworkSet", "GlobalNetworkSet", "CiliumCIDRGroup"})
"""Of policies beside those whose kind ends with Policy."""
_GOOD: Final = frozenset({"ready"})
"""Actions that break nothing."""
_GONE: Final = "deleted"


class Happening(msgspec.Struct, array_like=True):
    """``kind`` is that of a cause, ``object`` is Kind/namespace/name."""

    id: str
    at_ns: int
    kind: str
    object: str
    namespace: str
    name: str
    action: str
    summary: str
    by: str = ""
    by_at_ns: int = 0
    service: str = ""
    workloads: list[str] = msgspec.field(default_factory=list)
    node: str = ""

    @property
    def is_harmless(self) -> bool:
        """Whether it can only mend."""
        return self.action in _GOOD

    @property
    def is_gone(self) -> bool:
        """Whether the object is no more."""
        return self.action == _GONE

    @property
    def is_policy(self) -> bool:
        """Of a policy, or of what policies refer to."""
        return self.kind == "policy"


def is_policy_kind(kind: str) -> bool:
    """Whether objects of a kind say what may talk to what."""
    return kind.endswith("Policy") or kind in _POLICY_KINDS


def of_change(signal: ChangeSignal) -> Happening:
    """A change as it may be a cause."""
    kind = "policy" if is_policy_kind(signal.kind) else _KINDS.get(signal.kind, "unknown")
    if signal.action == "scaled":
        kind = "scaling"
    return Happening(
        signal.id, signal.at_ns, kind, f"{signal.kind}/{signal.namespace}/{signal.name}", signal.namespace, signal.name,
        signal.action, signal.summary, signal.by, signal.by_at_ns, signal.service, list(signal.workloads),
        signal.name if signal.kind == "Node" else "",
    )  # fmt: skip


def of_event(signal: EventSignal) -> Happening | None:
    """A warning as it may be a cause; None for all that is normal."""
    if signal.type != "Warning":
        return None
    kind = _KINDS.get(signal.kind, "unknown")
    words = f"{signal.reason} {signal.message}".lower()
    if "certificate" in words or "x509" in words:
        kind = "certificate"
    name = f"{signal.kind}/{signal.namespace}/{signal.name}"
    return Happening(
        f"event:{name}:{signal.reason}", signal.at_ns, "pod" if kind == "rollout" else kind, name, signal.namespace,
        signal.name, signal.reason, f"{signal.reason}: {signal.message}"[:512], workloads=list(signal.workloads),
        node=signal.name if signal.kind == "Node" else signal.node,
    )  # fmt: skip
