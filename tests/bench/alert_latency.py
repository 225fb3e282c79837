"""From the first packet that fails to the alert on it, by the built-in rules: real kernel, agents, Kafka and workers.

Every part runs as in production, intervals and windows at their defaults. A client dials each of its edges twice a
second; when a window has told that they work they are broken one after the other: half of them by a policy, the others
by servers that listen no more. Each namespace has one of either, so each break is an alert of its own.
"""

import contextlib
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agents.node.namespace.reader import entered
from conntrail.lab.main import Lab
from conntrail.lab.network.writer import namespace_path
from schemas.topic import ALERTS, WINDOWS
from tests.bench.denial import FIRST_PORT, Arrivals, figures, running
from tests.support.stack import running_stack
from tests.support.waiting import until

TRIES = 50
"""Of each kind."""
AIM_SECONDS = 5.0
CLIENT = "caller/client"
_EVERY_SECONDS, _ANSWER_SECONDS = 0.5, 0.3
_PAUSE_SECONDS = (0.5, 1.5)
_UNTIL_WORKED_SECONDS = 240


@dataclass
class Edge:
    """What the client dials, and since when in vain (Unix time, ns; 0 while it works)."""

    namespace: str
    port: int
    address: str
    listener: socket.socket
    failed_ns: int = 0


def run() -> list[dict[str, Any]]:
    with contextlib.ExitStack() as cleanup:
        directory = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        stack = cleanup.enter_context(running_stack())
        lab = Lab(directory / "lab", is_tied=True)
        cleanup.callback(lab.down)
        lab.up(_manifests(directory / "cluster.yaml"))
        prefix = cleanup.enter_context(running(stack, lab, directory, "flows", "denials", "alerts"))
        worked = Arrivals(stack.kafka, prefix, WINDOWS, lambda record: int(record["destination"]["port"]))
        alerts = Arrivals(stack.kafka, prefix, ALERTS, _port_of_alert)
        for arrivals in (worked, alerts):
            cleanup.callback(arrivals.stop)
        edges = {kind: [_edge(lab, kind, number) for number in range(TRIES)] for kind in ("denied", "refused")}
        every = [edge for own in edges.values() for edge in own]
        cleanup.enter_context(_dialled(lab, every))
        until(lambda: all(edge.port in worked.by_port for edge in every), _UNTIL_WORKED_SECONDS)
        _break(lab, directory, edges)
        until(lambda: all(edge.port in alerts.by_port for edge in every), 60)
        early = [edge for edge in every if alerts.by_port[edge.port] < edge.failed_ns]
        assert not early, f"alerts on what still worked: {early}"
        return [
            figure
            for kind, own in edges.items()
            for figure in figures(
                f"alert.latency {kind}",
                f"s from the first {kind} packet to a subscriber of alerts",
                AIM_SECONDS,
                alerts.seconds({edge.port: edge.failed_ns for edge in own}),
            )
        ]


def _port_of_alert(record: dict[str, Any]) -> int:
    return int(record["subject"]["port"]) if record["rule"] == "communication-break" else 0


def _manifests(path: Path) -> Path:
    """Two nodes, a client on the first, and servers in as many namespaces as tries on the second."""
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in ("node1", "node2")
    ]
    for namespace, name, node in [
        ("caller", "client", "node1"),
        *((f"team{number}", "server", "node2") for number in range(TRIES)),
    ]:
        template = {
            "metadata": {"labels": {"app": name}},
            "spec": {"nodeName": node, "containers": [{"name": "app"}]},
        }
        objects += [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
            },
        ]
    path.write_text(yaml.safe_dump_all(objects))
    return path


def _edge(lab: Lab, kind: str, number: int) -> Edge:
    """With a listener whose queue holds all that is dialled until it is closed."""
    namespace, port = f"team{number}", FIRST_PORT + number + (1000 if kind == "refused" else 0)
    pod = lab.pod(f"{namespace}/server")
    address = pod.addresses[0]
    with entered(namespace_path(pod.network_namespace)):
        listener = socket.create_server((address, port), family=_family(address), backlog=1024)
    return Edge(namespace, port, address, listener)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@contextlib.contextmanager
def _dialled(lab: Lab, edges: list[Edge]) -> Iterator[None]:
    """Each edge is dialled again and again by a thread of its own."""
    stopping = threading.Event()
    path = namespace_path(lab.pod(CLIENT).network_namespace)
    threads = [threading.Thread(target=_dial_until, args=(path, edge, stopping)) for edge in edges]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def _dial_until(path: str, edge: Edge, stopping: threading.Event) -> None:
    with entered(path):
        while not stopping.wait(_EVERY_SECONDS):
            at_ns = time.time_ns()
            # A machine that is busy answers late now and then: what fails from now on for good began last.
            edge.failed_ns = 0 if _dial(edge) else edge.failed_ns or at_ns


def _dial(edge: Edge) -> bool:
    """Whether somebody answered."""
    with socket.socket(_family(edge.address), socket.SOCK_STREAM) as peer:
        peer.settimeout(_ANSWER_SECONDS)
        try:
            peer.connect((edge.address, edge.port))
        except OSError:
            return False
        return True


def _break(lab: Lab, directory: Path, edges: dict[str, list[Edge]]) -> None:
    choice = random.Random(1)
    for denied, refused in zip(edges["denied"], edges["refused"], strict=True):
        time.sleep(choice.uniform(*_PAUSE_SECONDS))
        lab.apply(_policy(directory, denied.namespace, refused.port))
        time.sleep(choice.uniform(*_PAUSE_SECONDS))
        refused.listener.close()


def _policy(directory: Path, namespace: str, open_port: int) -> Path:
    path = directory / f"{namespace}.yaml"
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": open_port}]}]}
    metadata = {"name": "closed", "namespace": namespace}
    path.write_text(
        yaml.safe_dump(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
        )
    )
    return path
