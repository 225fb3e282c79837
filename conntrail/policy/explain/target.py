"""What a user names as an end, looked up in the cluster: pod, workload, Service, node or address."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from conntrail.errors import CommandError
from conntrail.policy.cluster.snapshot import Pod, Service, ServicePort, Snapshot, addresses_of
from streams.metadata.endpoint import Endpoint
from streams.policy.network import parse_address
from streams.policy.question import End

_LAST_PORT = 65535
_SHOWN_NAMES = 5
_WITH_PORT = re.compile(r"^(?:\[(?P<bracketed>[^\]]+)\]|(?P<plain>.+?)):(?P<port>[^:/]+)$")


@dataclass(frozen=True, slots=True)
class Target:
    """An end with everybody it may mean."""

    name: str
    kind: str
    """pod, workload, service, node or address."""
    pods: tuple[Pod, ...] = ()
    ends: tuple[End, ...] = ()
    service: Service | None = None


def split_port(text: str) -> tuple[str, str]:
    """Name and port of ``DST:PORT``; an IPv6 address stands in brackets. Raises CommandError."""
    match = _WITH_PORT.match(text)
    if match is None or (match["plain"] and _is_address(text)):
        raise CommandError(f"{text}: expected DST:PORT such as shop/db:5432, 203.0.113.9:443 or [fd00::1]:443")
    return match["bracketed"] or match["plain"], match["port"]


def find_target(text: str, snapshot: Snapshot) -> Target:
    """Find by ``namespace/name`` in this order: pod, Service, workload; ``node/name``; or an address.

    ``pod/``, ``service/`` or ``workload/`` before it says which is meant. Raises CommandError for an unknown name.
    """
    if _is_address(text):
        return _by_address(text.strip("[]"), snapshot)
    kind, _, rest = text.partition("/")
    if kind == "node":
        return _node(rest, snapshot)
    kind, name = (kind, rest) if kind in ("pod", "service", "workload") and "/" in rest else ("", text)
    if name in snapshot.pods and kind in ("", "pod"):
        pod = snapshot.pods[name]
        return Target(name, "pod", (pod,), (end_at(pod.endpoint),))
    if name in snapshot.services and kind in ("", "service"):
        return _service(snapshot.services[name], snapshot)
    pods = tuple(pod for pod in snapshot.pods.values() if _workload_name(pod) == name)
    if pods and kind in ("", "workload"):
        return Target(name, "workload", pods, tuple(end_at(pod.endpoint) for pod in pods))
    raise CommandError(_nobody(text, name, snapshot))


def destination_port(service: Service, text: str, protocol: str) -> ServicePort:
    """The Service's port by number or name. Raises CommandError that names those there are."""
    for port in service.ports:
        if port.protocol == protocol and text in (str(port.port), port.name):
            return port
    known = ", ".join(f"{port.protocol} {port.port}" for port in service.ports) or "none"
    raise CommandError(f"Service {service.key} has no {protocol} port {text}: it has {known}")


def port_of(text: str, pod: Endpoint | None, protocol: str) -> int:
    """A number, or the pod's port of that name. Raises CommandError."""
    if text.isascii() and text.isdigit() and int(text) <= _LAST_PORT:
        return int(text)
    for port in () if pod is None else pod.ports:
        if port.name == text and port.protocol == protocol:
            return port.port
    raise CommandError(f"port {text}: expected a number up to {_LAST_PORT}, or a port that the pod names")


def end_at(endpoint: Endpoint) -> End:
    """An endpoint at its first address."""
    return End(endpoint, next(iter(addresses_of(endpoint)), None))


def _by_address(text: str, snapshot: Snapshot) -> Target:
    for service in snapshot.services.values():
        if text in service.addresses:
            return _service(service, snapshot)
    address = parse_address(text)
    endpoint = None if address is None else snapshot.by_address.get(address)
    pods = (
        () if endpoint is None or endpoint.kind != "pod" else (snapshot.pods[f"{endpoint.namespace}/{endpoint.name}"],)
    )
    return Target(text, "address", pods, (End(endpoint, address),))


def _node(name: str, snapshot: Snapshot) -> Target:
    if name not in snapshot.nodes:
        raise CommandError(f"no node {name!r}: the cluster has {', '.join(list(snapshot.nodes)[:_SHOWN_NAMES])}")
    return Target(f"node/{name}", "node", (), (end_at(snapshot.nodes[name].endpoint),))


def _service(service: Service, snapshot: Snapshot) -> Target:
    pods = tuple(snapshot.pods[backend.pod] for backend in service.backends if backend.pod in snapshot.pods)
    ends = [end_at(pod.endpoint) for pod in pods]
    for backend in service.backends:
        if backend.pod not in snapshot.pods:
            ends += [End(None, parse_address(address)) for address in backend.addresses]
    return Target(service.key, "service", pods, tuple(ends), service)


def _workload_name(pod: Pod) -> str:
    namespace, _, name = pod.workload
    return f"{namespace}/{name}"


def _nobody(text: str, name: str, snapshot: Snapshot) -> str:
    namespace, _, word = name.rpartition("/")
    known = sorted({_workload_name(pod) for pod in snapshot.pods.values()} | set(snapshot.services))
    near = [item for item in known if word and word in item] or [item for item in known if namespace and
                                                                 item.startswith(f"{namespace}/")]  # fmt: skip
    hint = f"; there is {', '.join(near[:_SHOWN_NAMES])}" if near else ""
    return f"{text}: no pod, Service or workload of that name, and no address{hint}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
