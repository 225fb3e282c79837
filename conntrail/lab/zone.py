"""Names that the lab's DNS servers know: services as Kubernetes names them, and some outside. Pure.

https://github.com/kubernetes/dns/blob/master/docs/specification.md, versions 1.1.0.
"""

from collections.abc import Iterator
from typing import Final

from conntrail.lab.cluster import Cluster, Service
from conntrail.lab.network.link import NAMED_ADDRESSES
from conntrail.lab.program.name.zone import Records, Zone

DOMAIN: Final = "cluster.local"
_TYPES: Final = ("A", "AAAA")
_API, _CONTENT = NAMED_ADDRESSES
_OUTSIDE: Final[Records] = {
    "api.example.org": {"A": (_API[0],), "AAAA": (_API[1],)},
    "www.example.org": {"CNAME": ("www.cdn.example.net",)},
    "www.cdn.example.net": {"CNAME": ("edge.cdn.example.net",)},
    "edge.cdn.example.net": {"A": (_CONTENT[0],), "AAAA": (_CONTENT[1],)},
    # Too many for a datagram without EDNS, and for one segment enough.
    "many.example.org": {"A": tuple(f"198.51.100.{number}" for number in range(1, 61))},
}
_FAILING: Final = frozenset({"failing.example.org"})
_SILENT: Final = frozenset({"silent.example.org"})


def zone_of(cluster: Cluster) -> Zone:
    """Of the services that are there, and what lies outside."""
    return Zone({**dict(_services(cluster)), **_OUTSIDE}, _FAILING, _SILENT)


def _services(cluster: Cluster) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    for service in cluster.services:
        name = f"{service.name}.{service.namespace}.svc.{DOMAIN}"
        other = str(service.spec.get("externalName", "")).rstrip(".").lower()
        if service.spec.get("type") == "ExternalName":
            yield name, {"CNAME": (other,)} if other else {}
        else:
            yield name, dict(zip(_TYPES, _addresses(cluster, service), strict=True))


def _addresses(cluster: Cluster, service: Service) -> list[tuple[str, ...]]:
    """IPv4 and IPv6: of the service, or of its pods when it has none."""
    if service.addresses:
        return [(address,) for address in service.addresses]
    pods = {pod.addresses for port in service.ports for pod, _ in cluster.endpoints(service, port)}
    return [tuple(sorted(addresses[version] for addresses in pods)) for version in range(len(_TYPES))]
