"""The lab cluster: built from manifests, run, changed and taken down again."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from conntrail.errors import CommandError
from conntrail.lab.certificate.writer import make_key
from conntrail.lab.cluster import SERVE, Cluster, Pod
from conntrail.lab.control.main import Control, derive
from conntrail.lab.network.link import OUTSIDE, namespaces
from conntrail.lab.network.writer import (
    build_network,
    existing_namespaces,
    make_namespaces,
    namespace_path,
    remove_namespaces,
    tracked_connections,
)
from conntrail.lab.order import calls_once, check_calls
from conntrail.lab.outage.main import Outage
from conntrail.lab.policy.stack import policy_stack
from conntrail.lab.rootless.reader import is_inside, user_name
from conntrail.lab.show import shown
from conntrail.lab.state import Layout, State
from conntrail.lab.store.reader import read_manifests
from conntrail.lab.store.writer import Store, is_abandoned, labs, this_process
from conntrail.lab.traffic.main import Traffic
from conntrail.lab.traffic.writer import Programs
from conntrail.lab.zone import zone_of

Progress = Callable[[str], None]
_OUTSIDE_SERVES: Final = "tcp:443,udp:53,http:80,tls:8443"
_START_SECONDS: Final = 30.0
_CALL_SECONDS: Final = 15.0


def default_directory() -> Path:
    """Where the lab of this machine is kept, or that of a user who is not root. Raises CommandError."""
    if os.geteuid() == 0 and not is_inside():
        return Path("/run/conntrail/lab")
    try:
        return Path.home() / ".local/state/conntrail/lab"
    except RuntimeError as error:
        raise CommandError("this user has no home: name a place by --state-dir") from error


class Lab:
    """One lab. At most one runs on a machine, since its nodes are named as their objects are."""

    def __init__(self, directory: Path, is_tied: bool = False) -> None:
        """``is_tied``: whoever builds or removes a lab next removes this one, when this process is gone by then."""
        self._owner = this_process() if is_tied else None
        self.layout = Layout(directory.absolute())
        self._store = Store(self.layout)
        self._control = Control(self._store)
        self._programs = Programs(self.layout)
        self._outage = Outage(self._control, self._programs)

    @property
    def nodes(self) -> dict[str, str]:
        """Path of each node's network namespace."""
        return {node.name: namespace_path(node.name) for node in self._control.cluster().nodes}

    @property
    def cluster_directory(self) -> Path:
        """What ``conntrail cluster-agent --manifests`` reads."""
        return self.layout.cluster_directory

    @property
    def audit_path(self) -> Path:
        """What ``conntrail cluster-agent --audit-log`` follows: who changed the lab."""
        return self.layout.audit_path

    @property
    def truth_path(self) -> Path:
        """What the programs in the pods did and saw."""
        return self.layout.truth_path

    def up(self, manifests: Path | None = None, progress: Progress = lambda _: None) -> None:
        """Build everything and start the servers. Raises CommandError when a lab runs already.

        ``manifests``: a file or a directory. ``progress`` is told of kinds that the lab does not know.
        """
        with self._store.building():
            _remove_abandoned()
            if self._store.state.is_complete:
                raise CommandError(_there_already(self.layout.root))
            read = read_manifests(manifests or Path(str(files("conntrail.lab").joinpath("manifests"))))
            state = State(_now(), str(self.layout.root), self._owner)
            cluster = derive(read.objects, state)
            names = namespaces(cluster)
            check_calls(cluster)
            policy_stack(cluster)
            if read.left_out:
                progress(_left_out(read.left_out))
            if there := existing_namespaces(names):
                raise CommandError(_why_taken(there[0]))
            self._store.begin(read.objects)
            self._store.write_state(state.with_namespaces(names))
            try:
                self._build(cluster, state, names)
            except BaseException:
                self._remove()
                raise

    def down(self) -> bool:
        """Remove everything, also what a lab that was killed left behind; tell whether there was a lab."""
        with self._store.building():
            is_there = self._store.state != State()
            _remove_abandoned()
            self._remove()
            self._store.remove()
            return is_there

    def status(self) -> dict[str, Any]:
        """Nodes and pods with their addresses."""
        cluster = self._control.cluster()
        return {
            "nodes": [{"name": node.name, "namespace": namespace_path(node.name)} for node in cluster.nodes],
            "pods": [
                {
                    "namespace": pod.namespace,
                    "name": pod.name,
                    "node": pod.node.name,
                    "workload": "/".join(pod.workload),
                    "addresses": list(pod.addresses),
                    "network_namespace": namespace_path(pod.network_namespace),
                }
                for pod in cluster.pods
            ],
        }

    def apply(self, *paths: Path, user: str = "") -> None:
        """Add or change policies by manifests. Raises CommandError and changes nothing when one is not sound.

        ``user``: who does it, as the audit log says; empty: who runs this process.
        """
        for path in paths:
            self._control.change_policies(path, user or user_name(), is_deleted=False)

    def delete(self, *paths: Path, user: str = "") -> None:
        """Remove the policies of manifests."""
        for path in paths:
            self._control.change_policies(path, user or user_name(), is_deleted=True)

    def execute(self, pod: str, command: list[str]) -> int:
        """Run a command in a pod's network; return its exit status."""
        found = self.pod(pod)
        return subprocess.run(["ip", "netns", "exec", found.network_namespace, *command], check=False).returncode

    def call(self, pod: str, call: Mapping[str, Any], ports: Iterable[int]) -> None:
        """Let a pod make one call of each port now, all at once. ``call``: as in ``conntrail.io/lab-call``, no port."""
        cluster, caller = self._control.cluster(), self.pod(pod)
        order = calls_once(cluster, caller, self.layout.truth_path, call, ports)
        self._programs.await_end([self._programs.call(caller.network_namespace, order)], _CALL_SECONDS)

    def stop(self, name: str) -> None:
        """End the programs of a workload's pods, as a crash does: who calls them is refused."""
        self._outage.stop(self.pods(name))

    def start(self, name: str) -> None:
        """Start the programs that were stopped; returns when they can be called."""
        self._outage.start(self.pods(name))

    def set_ready(self, name: str, *, is_ready: bool) -> None:
        """Let Services lead to a workload's pods, or no more."""
        self._outage.set_ready(self.pods(name), is_ready=is_ready)

    def conntrack(self, node: str) -> str:
        """What the conntrack program lists on a node: a witness that is not ours."""
        return tracked_connections(node)

    def traffic(self, duration_seconds: float, progress: Progress = lambda _: None, rate: float = 0) -> None:
        """Let every pod do what it is told, and pods that live for a moment come and go.

        ``rate``: connections a second over all pods; 0 as the manifests say.
        """
        Traffic(self._control, self._programs, progress).run(duration_seconds, rate)

    def truth(self) -> list[dict[str, Any]]:
        """All connections that were made. A line that is being written is left out."""
        return [fact for fact in self._facts() if fact["layer"] == "connection"]

    def exchanges(self) -> list[dict[str, Any]]:
        """All that was said on them, one DNS question, HTTP request or TLS handshake each: ``layer`` says which."""
        return [fact for fact in self._facts() if fact["layer"] != "connection"]

    def _facts(self) -> list[dict[str, Any]]:
        if not self.layout.truth_path.exists():
            return []
        whole, _, _ = self.layout.truth_path.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def _build(self, cluster: Cluster, state: State, names: list[str]) -> None:
        inodes = make_namespaces(names)
        self._store.write_state(replace(state, namespaces=inodes))
        build_network(cluster)
        self._store.write_shown(shown(cluster))
        self._store.write_zone(zone_of(cluster))
        make_key(self.layout.key_path)
        servers = [
            self._programs.serve(pod.network_namespace, pod.workload[1], pod.annotations.get(SERVE, ""))
            for pod in cluster.pods
        ]
        servers.append(self._programs.serve(OUTSIDE, "outside", _OUTSIDE_SERVES))
        self._programs.await_listening(servers, _START_SECONDS)
        self._store.write_state(replace(state, namespaces=inodes, is_complete=True))

    def pod(self, name: str) -> Pod:
        """By name or workload, with or without its namespace. Raises CommandError when there is none."""
        return self.pods(name)[0]

    def pods(self, name: str) -> list[Pod]:
        """All of a workload, or the one of a name. Raises CommandError when there is none."""
        pods = self._control.cluster().pods
        if found := [
            pod for pod in pods if name in (pod.name, pod.title, f"{pod.namespace}/{pod.workload[1]}", pod.workload[1])
        ]:
            return found
        raise CommandError(f"no pod is called {name}: conntrail lab status lists them")

    def _remove(self) -> None:
        _remove_lab(self.layout.state_path, self._store.state)


def _remove_abandoned() -> None:
    for path, state in labs().items():
        if is_abandoned(state):
            _remove_lab(path, state)


def _why_taken(namespace: str) -> str:
    for state in labs().values():
        if namespace in state.names:
            return _there_already(Path(state.directory))
    return f"network namespace {namespace} is no lab's: end it with ip netns del {namespace}, unless you need it"


def _remove_lab(path: Path, state: State) -> None:
    remove_namespaces(dict(reversed(state.names.items())))
    path.unlink(missing_ok=True)


def _there_already(directory: Path) -> str:
    option = "" if directory == default_directory() else f" --state-dir {directory}"
    return f"a lab is there already: conntrail lab down{option} ends it"


def _left_out(kinds: Mapping[str, int]) -> str:
    counted = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
    return f"left out, since the lab does not build these kinds: {counted}"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
