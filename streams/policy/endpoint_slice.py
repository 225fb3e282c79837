"""What an EndpointSlice, discovery.k8s.io/v1, says of the addresses and ports behind its Service."""

from collections.abc import Iterable
from typing import Final

from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_protocol, as_texts
from streams.policy.network import Network, parse_address
from streams.policy.object import PolicyObject
from streams.policy.referent import ServiceEndpoints

_SERVICE_LABEL: Final = "kubernetes.io/service-name"


def compile_endpoint_slice(source: PolicyObject) -> ServiceEndpoints:
    """Compile one; of one that cannot be read nothing is known."""
    service = source.labels.get(_SERVICE_LABEL, "")
    try:
        fields = as_mapping(source.spec, "")
        networks = tuple(_networks(as_list(fields.get("endpoints"), "endpoints")))
        ports = tuple(_ports(as_list(fields.get("ports"), "ports")))
    except PolicyFault:
        return ServiceEndpoints(source.namespace, "", (), ())
    return ServiceEndpoints(source.namespace, service, networks, ports)


def _networks(endpoints: Iterable[object]) -> Iterable[Network]:
    for endpoint in endpoints:
        for text in as_texts(as_mapping(endpoint, "endpoints").get("addresses"), "endpoints.addresses"):
            address = parse_address(text)
            if address is not None:
                yield Network(address.version, address.value, address.value)


def _ports(ports: Iterable[object]) -> Iterable[tuple[str, int]]:
    """A port without a number is every port."""
    for item in ports:
        fields = as_mapping(item, "ports")
        number = fields.get("port")
        yield as_protocol(fields.get("protocol"), "ports.protocol"), number if isinstance(number, int) else 0
