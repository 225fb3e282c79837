"""A record of what was seen as questions to the evaluator: who exactly would talk to whom if it happened again now.

Pods that flows showed and that are still there stand for themselves, with their labels of now. Where they are gone,
or no flow is left, the workload's present pods stand in; where the workload is gone too, the pods as flows showed them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from conntrail.policy.cluster.snapshot import Pod, Snapshot, addresses_of
from conntrail.policy.history.seen import MAXIMUM_EXAMPLES, History, Seen, SeenEnd, SeenPod
from streams.metadata.endpoint import Endpoint
from streams.policy.network import parse_address
from streams.policy.question import End, Question

_NAME_LABEL = "kubernetes.io/metadata.name"


def questions_of(seen: Seen, history: History, snapshot: Snapshot) -> tuple[Question, ...]:
    """Each question once. None: an end is unknown, or nobody knows any more what pods it had."""
    sources = ends_of(seen.key.source, seen.source_pods, history, snapshot)
    destinations = [
        replace(end, domains=seen.domains or None) if end.endpoint is None else end
        for end in ends_of(seen.key.destination, seen.destination_pods, history, snapshot)
    ]
    asked = [
        Question(of_family(source, destination), of_family(destination, source), seen.key.protocol, seen.key.port)
        for source in sources
        for destination in destinations
    ]
    return tuple(question for number, question in enumerate(asked) if question not in asked[:number])


def ends_of(end: SeenEnd, examples: tuple[str, ...], history: History, snapshot: Snapshot) -> tuple[End, ...]:
    """The ends that an end of a record stands for, at most 8."""
    if end.kind == "outside":
        return (End(None, parse_address(end.address)),)
    if end.kind == "node":
        node = snapshot.nodes.get(end.name)
        return () if node is None else (_end(node.endpoint),)
    if end.kind == "unknown":
        return ()
    return tuple(_end(endpoint) for endpoint in _endpoints(end, examples, history, snapshot))


def of_family(end: End, other: End) -> End:
    """A pod with addresses of both families is meant by the one of the other end's family."""
    if end.endpoint is None or other.address is None or end.address is None:
        return end
    same = [address for address in addresses_of(end.endpoint) if address.version == other.address.version]
    return replace(end, address=same[0]) if same and end.address.version != other.address.version else end


def _endpoints(end: SeenEnd, examples: tuple[str, ...], history: History, snapshot: Snapshot) -> list[Endpoint]:
    workload = (end.namespace, end.workload_kind, end.name)
    present = [snapshot.pods[name] for name in examples if name in snapshot.pods]
    present = [pod for pod in present if pod.workload == workload] or list(snapshot.workloads.get(workload, ()))
    if present:
        return list(_distinct(present))
    gone = [history.pods[name] for name in examples if name in history.pods]
    gone = gone or [pod for pod in history.pods.values() if pod.end == end]
    return [revived(pod, snapshot) for pod in gone[:MAXIMUM_EXAMPLES]]


def _distinct(pods: Iterable[Pod]) -> Iterator[Endpoint]:
    """Pods that differ in nothing that a policy asks for, but their addresses and nodes, stand for each other."""
    known: set[object] = set()
    for pod in pods:
        endpoint = pod.endpoint
        identity = (frozenset(endpoint.labels.items()), endpoint.service_account, endpoint.ports, endpoint.host_network)
        if identity not in known and len(known) < MAXIMUM_EXAMPLES:
            known.add(identity)
            yield endpoint


def revived(pod: SeenPod, snapshot: Snapshot) -> Endpoint:
    """A pod that may be gone, as flows showed it last, in the namespace as it is now."""
    namespace = pod.end.namespace
    return Endpoint(
        kind="pod",
        name=pod.name,
        uid="",
        namespace=namespace,
        namespace_labels=snapshot.namespaces.get(namespace, {_NAME_LABEL: namespace}),
        labels=pod.labels,
        workload_kind=pod.end.workload_kind,
        workload_name=pod.end.name,
        node_name=pod.node_name,
        addresses=pod.addresses,
    )


def _end(endpoint: Endpoint) -> End:
    return End(endpoint, next(iter(addresses_of(endpoint)), None))
