"""The lab cluster: built from manifests, run, changed and taken down again."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL, SERVE, Cluster, Object, Pod, build_cluster, job_pod
from conntrail.lab.network.firewall import ruleset
from conntrail.lab.network.link import (
    FABRIC,
    OUTSIDE,
    attach_lines,
    fabric_lines,
    namespaces,
    node_lines,
    outside_lines,
    pod_lines,
    pod_node_lines,
)
from conntrail.lab.network.writer import (
    allow_forwarding,
    allow_ping,
    apply_links,
    apply_ruleset,
    make_namespaces,
    namespace_path,
    remove_namespaces,
    tracked_connections,
)
from conntrail.lab.program.task import Order, Task
from conntrail.lab.show import shown
from conntrail.lab.state import Layout, format_state, parse_state

Progress = Callable[[str], None]
_OUTSIDE_SERVES: Final = ("tcp:443", "udp:53")
_JOBS: Final = ("import", "export")
_JOB_EVERY_SECONDS: Final = 1.5
_HEAD_START_SECONDS: Final = 0.4
"""Between an object's appearance and its pod's first packet, as a kubelet would take to start it."""


def default_directory() -> Path:
    """Where the lab of this machine is kept."""
    return Path("/run/conntrail/lab") if os.geteuid() == 0 else Path.home() / ".local/state/conntrail/lab"


class Lab:
    """One lab. At most one runs on a machine, since its nodes are named as their objects are."""

    def __init__(self, directory: Path) -> None:
        self.layout = Layout(directory.absolute())
        self._cluster: Cluster | None = None
        self._ordinal = 0

    @property
    def nodes(self) -> dict[str, str]:
        """Path of each node's network namespace."""
        return {node.name: namespace_path(node.name) for node in self._loaded().nodes}

    @property
    def cluster_directory(self) -> Path:
        """What ``conntrail cluster-agent --manifests`` reads."""
        return self.layout.cluster_directory

    @property
    def truth_path(self) -> Path:
        """What the programs in the pods did and saw."""
        return self.layout.truth_path

    def up(self, manifests: Path | None = None) -> None:
        """Build everything and start the servers. Raises CommandError when a lab runs already."""
        with self._locked():
            if self._left_over():
                raise CommandError("a lab is there already: conntrail lab down ends it")
            self.layout.cluster_directory.mkdir(parents=True, exist_ok=True)
            self.layout.truth_path.unlink(missing_ok=True)
            self._keep_manifests(manifests)
            self._cluster = build_cluster(self._given(), _now())
            names = namespaces(self._cluster)
            self._write_state(names)
            try:
                self._build(self._cluster, names)
            except BaseException:
                self._remove()
                raise

    def down(self) -> None:
        """Remove everything, also what a lab that was killed left behind."""
        if not self.layout.root.exists():
            return
        with self._locked():
            self._remove()
        shutil.rmtree(self.layout.root, ignore_errors=True)

    def status(self) -> dict[str, Any]:
        """Nodes and pods with their addresses."""
        cluster = self._loaded()
        return {
            "nodes": [{"name": node.name, "namespace": namespace_path(node.name)} for node in cluster.nodes],
            "pods": [
                {
                    "namespace": pod.namespace,
                    "name": pod.name,
                    "node": pod.node.name,
                    "addresses": list(pod.addresses),
                    "network_namespace": namespace_path(pod.network_namespace),
                }
                for pod in cluster.pods
            ],
        }

    def apply(self, path: Path) -> None:
        """Add or change NetworkPolicies by a manifest."""
        for value in _read_objects(path):
            self._change(value, is_deleted=False)

    def delete(self, path: Path) -> None:
        """Remove the NetworkPolicies of a manifest."""
        for value in _read_objects(path):
            self._change(value, is_deleted=True)

    def execute(self, pod: str, command: list[str]) -> int:
        """Run a command in a pod's network; return its exit status."""
        found = self._pod(pod)
        return subprocess.run(["ip", "netns", "exec", found.network_namespace, *command], check=False).returncode

    def conntrack(self, node: str) -> str:
        """What the conntrack program lists on a node: a witness that is not ours."""
        return tracked_connections(node)

    def traffic(self, duration_seconds: float, progress: Progress = lambda _: None) -> None:
        """Let every pod do what it is told, and pods that live for a moment come and go."""
        cluster = self._loaded()
        clients = [self._start_client(order, pod) for pod, order in self._orders(cluster, duration_seconds)]
        until = time.monotonic() + duration_seconds
        shown_at = 0.0
        while time.monotonic() < until:
            left = until - time.monotonic()
            if time.monotonic() - shown_at >= 5:  # noqa: PLR2004 - seconds
                shown_at = time.monotonic()
                progress(f"traffic: {self._truth_lines()} connections so far, {left:.0f} s to go")
            if left > _JOB_EVERY_SECONDS:
                self._run_job(cluster)
            time.sleep(min(_JOB_EVERY_SECONDS, max(until - time.monotonic(), 0)))
        for client in clients:
            client.wait(timeout=duration_seconds + 10)
        progress(f"traffic: {self._truth_lines()} connections made")

    def truth(self) -> list[dict[str, Any]]:
        """All connections that were made."""
        if not self.layout.truth_path.exists():
            return []
        return [json.loads(line) for line in self.layout.truth_path.read_text(encoding="utf-8").splitlines()]

    def _truth_lines(self) -> int:
        return len(self.truth())

    def _build(self, cluster: Cluster, names: list[str]) -> None:
        make_namespaces(names)
        apply_links(FABRIC, fabric_lines())
        for number, name in enumerate([OUTSIDE, *(node.name for node in cluster.nodes)]):
            apply_links(FABRIC, attach_lines(name, number))
        apply_links(OUTSIDE, outside_lines())
        for node in cluster.nodes:
            allow_forwarding(node.name)
            apply_links(node.name, node_lines(cluster, node))
        for pod in cluster.pods:
            self._connect(pod)
        self._enforce(cluster)
        self._show(cluster)
        for pod in cluster.pods:
            self._start_servers(pod.network_namespace, pod.workload[1], pod.annotations.get(SERVE, ""))
        self._start_servers(OUTSIDE, "outside", ",".join(_OUTSIDE_SERVES))
        time.sleep(_HEAD_START_SECONDS)

    def _connect(self, pod: Pod) -> None:
        apply_links(pod.node.name, pod_node_lines(pod))
        apply_links(pod.network_namespace, pod_lines(pod))
        allow_ping(pod.network_namespace)

    def _enforce(self, cluster: Cluster) -> None:
        for node in cluster.nodes:
            apply_ruleset(node.name, ruleset(cluster, node))

    def _show(self, cluster: Cluster) -> None:
        """Write the objects; readers see the old file or the new one."""
        path = self.layout.cluster_directory / "objects.yaml"
        listing = {"apiVersion": "v1", "kind": "List", "items": shown(cluster)}
        temporary = path.with_suffix(".new")
        temporary.write_text(yaml.dump(listing, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        temporary.replace(path)

    def _start_servers(self, namespace: str, name: str, serve: str) -> None:
        if not serve:
            return
        specs = [spec.strip() for spec in serve.split(",")]
        self._spawn(namespace, ["conntrail.lab.program.server", name, *specs], None)

    def _start_client(self, order: Order, pod: Pod) -> subprocess.Popen[bytes]:
        return self._spawn(pod.network_namespace, ["conntrail.lab.program.main"], json.dumps(order.document()))

    def _spawn(self, namespace: str, module: list[str], text: str | None) -> subprocess.Popen[bytes]:
        with (self.layout.root / "programs.log").open("ab") as log:
            started = subprocess.Popen(
                ["ip", "netns", "exec", namespace, sys.executable, "-m", *module],
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if text is not None and started.stdin is not None:
            started.stdin.write(text.encode())
            started.stdin.close()
        return started

    def _orders(self, cluster: Cluster, seconds: float) -> Iterator[tuple[Pod, Order]]:
        for pod in cluster.pods:
            calls = json.loads(pod.annotations.get(CALL, "[]"))
            if calls:
                tasks = tuple(_task(cluster, call) for call in calls)
                yield pod, self._order(pod, seconds, tasks)

    def _order(self, pod: Pod, seconds: float, tasks: tuple[Task, ...]) -> Order:
        return Order(
            namespace=pod.namespace,
            pod=pod.name,
            uid=pod.uid,
            workload=pod.workload[1],
            address=pod.addresses[0],
            address6=pod.addresses[1],
            seconds=seconds,
            truth=str(self.layout.truth_path),
            tasks=tasks,
        )

    def _run_job(self, cluster: Cluster) -> None:
        """A pod that appears, makes one connection and is gone; the next one gets its address."""
        self._ordinal += 1
        node = cluster.nodes[-1]
        pod = job_pod(cluster, _JOBS[self._ordinal % len(_JOBS)], self._ordinal, _now(), node)
        self._write_state([*namespaces(cluster), pod.network_namespace])
        make_namespaces([pod.network_namespace])
        self._connect(pod)
        cluster.pods.append(pod)
        try:
            self._enforce(cluster)
            self._show(cluster)
            time.sleep(_HEAD_START_SECONDS)
            task = replace(
                _task(cluster, {"kind": "tcp", "to": "postgres.data", "port": 5432, "every": 1, "bytes": 900})
            )
            self._start_client(replace(self._order(pod, 1.0, (task,)), is_once=True), pod).wait(timeout=20)
        finally:
            cluster.pods.remove(pod)
            remove_namespaces([pod.network_namespace])
            self._enforce(cluster)
            self._show(cluster)

    def _change(self, value: Object, *, is_deleted: bool) -> None:
        if value.get("kind") != "NetworkPolicy":
            raise CommandError(f"only NetworkPolicy can be changed while the lab runs, not {value.get('kind')}")
        cluster = self._loaded()
        key = (value["metadata"]["namespace"], value["metadata"]["name"])
        cluster.given = [
            other
            for other in cluster.given
            if other.get("kind") != "NetworkPolicy"
            or (other["metadata"]["namespace"], other["metadata"]["name"]) != key
        ]
        if not is_deleted:
            value["metadata"].setdefault("creationTimestamp", _now())
            cluster.given.append(value)
        self._write_manifests(cluster.given)
        self._enforce(cluster)
        self._show(cluster)

    def _pod(self, name: str) -> Pod:
        for pod in self._loaded().pods:
            if name in (pod.name, f"{pod.namespace}/{pod.name}", f"{pod.namespace}/{pod.workload[1]}", pod.workload[1]):
                return pod
        raise CommandError(f"no pod is called {name}: conntrail lab status lists them")

    def _loaded(self) -> Cluster:
        if self._cluster is None:
            if not self.layout.state_path.exists():
                raise CommandError("no lab is there: conntrail lab up builds one")
            stamp = datetime.fromtimestamp((self.layout.manifests_directory).stat().st_mtime, UTC)
            self._cluster = build_cluster(self._given(), self._created_at() or stamp.isoformat())
        return self._cluster

    def _created_at(self) -> str:
        path = self.layout.root / "created"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _given(self) -> list[Object]:
        return [
            value for path in sorted(self.layout.manifests_directory.glob("*.yaml")) for value in _read_objects(path)
        ]

    def _keep_manifests(self, manifests: Path | None) -> None:
        source = manifests or Path(str(files("conntrail.lab").joinpath("manifests")))
        shutil.rmtree(self.layout.manifests_directory, ignore_errors=True)
        self.layout.manifests_directory.mkdir(parents=True)
        paths = sorted([*source.glob("*.yaml"), *source.glob("*.yml")])
        if not paths:
            raise CommandError(f"{source} holds no YAML manifests")
        self._write_manifests([value for path in paths for value in _read_objects(path)])
        (self.layout.root / "created").write_text(_now(), encoding="utf-8")

    def _write_manifests(self, objects: list[Object]) -> None:
        path = self.layout.manifests_directory / "all.yaml"
        path.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")

    def _write_state(self, names: Iterable[str]) -> None:
        known = dict.fromkeys([*self._left_over(), *names])
        temporary = self.layout.state_path.with_suffix(".new")
        temporary.write_text(format_state(list(known)), encoding="utf-8")
        temporary.replace(self.layout.state_path)

    def _left_over(self) -> list[str]:
        path = self.layout.state_path
        return parse_state(path.read_text(encoding="utf-8")) if path.exists() else []

    def _remove(self) -> None:
        remove_namespaces(reversed(self._left_over()))
        self.layout.state_path.unlink(missing_ok=True)
        self._cluster = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time builds or removes."""
        self.layout.root.mkdir(parents=True, exist_ok=True)
        with (self.layout.root / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CommandError("another command is building or removing this lab") from error
            yield


def _task(cluster: Cluster, call: Mapping[str, Any]) -> Task:
    """A call with its target's address looked up."""
    target, version = str(call["to"]), 1 if str(call["kind"]).endswith("6") else 0
    service = ""
    if target.startswith("pod/"):
        _, namespace, workload = target.split("/")
        pods = [p for p in cluster.pods if (p.namespace, p.workload[1]) == (namespace, workload)]
        address = pods[0].addresses[version]
    elif target[0].isdigit() or ":" in target:
        address = target
    else:
        name, _, namespace = target.partition(".")
        found = next(s for s in cluster.services if (s.namespace, s.name) == (namespace, name))
        address, service = found.addresses[version], f"{namespace}/{name}"
    details = {key: call[key] for key in ("bytes", "expect", "by", "direction") if key in call}
    return Task(kind=call["kind"], address=address, port=call["port"], every=call["every"], service=service, **details)


def _read_objects(path: Path) -> list[Object]:
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise CommandError(f"{path}: {str(error).splitlines()[0]}") from error
    found: list[Object] = []
    for document in documents:
        if isinstance(document, dict):
            found += document["items"] if document.get("kind") == "List" else [document]
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
