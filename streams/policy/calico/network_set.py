"""Sets of networks of Calico: NetworkSet, GlobalNetworkSet, and the addresses of a HostEndpoint."""

from typing import Final

from streams.policy.calico.entity import parse_block, parse_domain
from streams.policy.fault import PolicyFault
from streams.policy.field import as_mapping, as_texts, refuse_unknown
from streams.policy.object import PolicyObject
from streams.policy.referent import NetworkSet

_SET_FIELDS: Final = frozenset({"nets", "allowedEgressDomains"})


def compile_network_set(source: PolicyObject) -> NetworkSet:
    """Compile a set; one that cannot be read whole may hold any address."""
    try:
        spec = as_mapping(source.spec, "spec")
        refuse_unknown(spec, _SET_FIELDS, "spec")
        nets = as_texts(spec.get("nets"), "spec.nets")
        names = as_texts(spec.get("allowedEgressDomains"), "spec.allowedEgressDomains")
        networks = tuple(parse_block(item, f"spec.nets[{index}]") for index, item in enumerate(nets))
        domains = tuple(
            parse_domain(item, f"spec.allowedEgressDomains[{index}]").name for index, item in enumerate(names)
        )
    except PolicyFault:
        return NetworkSet(source.namespace, source.name, source.labels, (), is_doubtful=True)
    return NetworkSet(source.namespace, source.name, source.labels, networks, domains)


def compile_host_endpoint(source: PolicyObject) -> NetworkSet:
    """Selectors find the addresses of a host's interface by its labels, as they find a set's."""
    try:
        addresses = as_texts(as_mapping(source.spec, "spec").get("expectedIPs"), "spec.expectedIPs")
        networks = tuple(parse_block(item, f"spec.expectedIPs[{index}]") for index, item in enumerate(addresses))
    except PolicyFault:
        return NetworkSet("", source.name, source.labels, (), is_doubtful=True)
    return NetworkSet("", source.name, source.labels, networks)
