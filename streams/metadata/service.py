"""Services as flows meet them: addresses and ports that somebody dials."""

from dataclasses import dataclass


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
