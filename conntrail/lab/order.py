"""What each pod's client is told to do, from the annotations of its manifest."""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL, Cluster, Pod, Service
from conntrail.lab.manifest.annotation import check_annotations
from conntrail.lab.program.name.question import candidates
from conntrail.lab.program.task import Order, Task, search_path
from conntrail.lab.workload import is_run_by_traffic, pod_template
from conntrail.lab.zone import zone_of

_OPTIONAL: Final = ("bytes", "expect", "by", "direction", "resolve", "host", "method", "edns")
_LISTED: Final = ("paths", "names", "types", "alpn")
_UNKNOWN: Final = ("lab.test.",)
"""What a task of kind dns asks for when its manifest does not say."""
_RESOLVER: Final = ("kube-system", "kube-dns", 53)
"""The service that a pod's resolv.conf names."""
_SUFFIXES: Final = ((), ("svc",), ("svc", "cluster", "local"))
_Target = tuple[str, str, tuple[str, ...]]
"""Address, service (namespace/name) when one is dialled, and pods that may answer."""


def orders(cluster: Cluster, truth: Path, seconds: float, rate: float) -> Iterator[tuple[Pod, Order]]:
    """For each pod that calls. ``rate``: connections a second over all pods, 0 as the manifests say.

    Raises CommandError.
    """
    calling = [(pod, pod_tasks(cluster, pod)) for pod in cluster.pods if pod.annotations.get(CALL)]
    natural = sum(1 / task.every for _, tasks in calling for task in tasks if task.kind != "keep")
    slower = natural / rate if rate > 0 else 1.0
    for pod, tasks in calling:
        paced = tuple(replace(task, every=task.every * slower) for task in tasks)
        yield pod, order_for(cluster, pod, truth, seconds, paced)


def check_calls(cluster: Cluster) -> None:
    """Raises CommandError when something is called that is not there."""
    for pod in cluster.pods:
        pod_tasks(cluster, pod)
    for value in filter(is_run_by_traffic, cluster.given):
        metadata, template = value["metadata"], pod_template(value)["metadata"]
        title = f"{value['kind']} {metadata['namespace']}/{metadata['name']}"
        _tasks(cluster, title, metadata["namespace"], template["annotations"])


def pod_tasks(cluster: Cluster, pod: Pod) -> tuple[Task, ...]:
    """Of a pod's annotation. Raises CommandError."""
    kind, name = pod.workload
    return _tasks(cluster, f"{kind} {pod.namespace}/{name}", pod.namespace, pod.annotations)


def calls_once(cluster: Cluster, pod: Pod, truth: Path, call: Mapping[str, Any], ports: Iterable[int]) -> Order:
    """One call of each port, as the annotation would have it. ``call``: all but the port. Raises CommandError."""
    kind, name = pod.workload
    title = f"{kind} {pod.namespace}/{name}"
    annotations = {CALL: json.dumps([{**call, "port": port} for port in ports])}
    check_annotations(title, "call", annotations)
    order = order_for(cluster, pod, truth, 0, _tasks(cluster, title, pod.namespace, annotations))
    return replace(order, is_once=True)


def order_for(cluster: Cluster, pod: Pod, truth: Path, seconds: float, tasks: tuple[Task, ...]) -> Order:
    """Everything that a pod's client needs to know."""
    return Order(
        namespace=pod.namespace,
        pod=pod.name,
        uid=pod.uid,
        workload=pod.workload[1],
        address=pod.addresses[0],
        address6=pod.addresses[1],
        seconds=seconds,
        truth=str(truth),
        resolver=_resolver(cluster),
        tasks=tasks,
    )


def _tasks(cluster: Cluster, title: str, namespace: str, annotations: Mapping[str, str]) -> tuple[Task, ...]:
    try:
        return tuple(_task(cluster, namespace, call) for call in json.loads(annotations.get(CALL) or "[]"))
    except LookupError as error:
        raise CommandError(f"{title}: {CALL}: {error.args[0]}") from error


def _task(cluster: Cluster, namespace: str, call: Mapping[str, Any]) -> Task:
    """A call with its target's address looked up. Raises LookupError."""
    version = 1 if call["kind"].endswith("6") else 0
    name = call.get("resolve", "")
    address, service, servers = (
        _behind(cluster, _address_named(cluster, name, version, namespace), call["port"], version)
        if name
        else _target(cluster, call["to"], call["port"], version, namespace)
    )
    is_question = call["kind"] in ("dns", "dns6")
    said = {key: call[key] for key in _OPTIONAL if key in call}
    said |= {key: tuple(call[key]) for key in _LISTED if key in call}
    return Task(
        **{
            "kind": call["kind"],
            "address": address,
            "port": call["port"],
            "every": call.get("every", 1.0),
            "service": service,
            "servers": servers,
            "host": name or call["to"],
            "names": _UNKNOWN if is_question else (),
            **said,
        }
    )


def _resolver(cluster: Cluster) -> Task | None:
    namespace, name, port = _RESOLVER
    for service in cluster.services:
        if (service.namespace, service.name) == (namespace, name) and service.addresses:
            address, title, servers = _of_service(cluster, service, port, 0)
            return Task("dns", address, port, 1.0, service=title, servers=servers)
    return None


def _address_named(cluster: Cluster, name: str, version: int, namespace: str) -> str:
    """What the lab's DNS server will answer to a pod of a namespace. Raises LookupError."""
    if _resolver(cluster) is None:
        raise LookupError(f"{name} cannot be looked up: there is no service kube-system/kube-dns")
    zone = zone_of(cluster)
    for full in candidates(name, search_path(namespace)):
        if values := zone.values(full, ("A", "AAAA")[version]):
            return values[0]
    raise LookupError(f"the lab's DNS server has no address of {name}, in namespace {namespace}")


def _target(cluster: Cluster, target: str, port: int, version: int, namespace: str) -> _Target:
    if _is_address(target):
        return target, "", ()
    if target.startswith("pod/"):
        _, wanted, workload = target.split("/")
        for pod in cluster.pods:
            if (pod.namespace, pod.workload[1]) == (wanted, workload):
                return pod.addresses[version], "", (f"{wanted}/{pod.name}",)
        raise LookupError(f"no pod of {wanted}/{workload} is there to call")
    name, *parts = target.split(".")
    namespace, suffix = (parts[0], tuple(parts[1:])) if parts else (namespace, ())
    for service in cluster.services:
        if (service.namespace, service.name) == (namespace, name) and suffix in _SUFFIXES:
            return _of_service(cluster, service, port, version)
    raise LookupError(f"no service {target} is there to call, in namespace {namespace}")


def _behind(cluster: Cluster, address: str, port: int, version: int) -> _Target:
    """Of an address: a service's, a pod's of a headless service, or one outside."""
    for service in cluster.services:
        if address in service.addresses:
            return _of_service(cluster, service, port, version)
    return address, "", tuple(f"{pod.namespace}/{pod.name}" for pod in cluster.pods if address in pod.addresses)


def _of_service(cluster: Cluster, service: Service, port: int, version: int) -> _Target:
    ports = [item for item in service.ports if item["port"] == port]
    pods = [pod for item in ports for pod, _ in cluster.endpoints(service, item)]
    servers = tuple(f"{pod.namespace}/{pod.name}" for pod in pods)
    if service.addresses:
        return service.addresses[version], f"{service.namespace}/{service.name}", servers
    if pods:  # a headless service's name leads straight to its pods
        return pods[0].addresses[version], "", servers[:1]
    raise LookupError(f"service {service.namespace}/{service.name} has neither an address nor pods to call")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
