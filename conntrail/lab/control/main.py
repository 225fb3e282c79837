"""The lab's control plane at work: one change at a time, whichever process asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from conntrail.errors import CommandError
from conntrail.lab.cluster import Cluster, Object, build_cluster, job_pod
from conntrail.lab.network.writer import enforce
from conntrail.lab.show import shown
from conntrail.lab.state import ShortPod, State
from conntrail.lab.store.writer import Store


@dataclass(slots=True)
class Change:
    """What may be done while nobody else changes the lab."""

    store: Store
    state: State

    def write_state(self, state: State) -> None:
        """Keep a new state."""
        self.store.write_state(state)
        self.state = state

    def with_short_pods(self, pods: tuple[ShortPod, ...]) -> Cluster:
        """The cluster with these pods that live for a moment and no others."""
        self.write_state(replace(self.state, short_pods=pods))
        return derive(self.store.given, self.state)

    def short_namespaces(self) -> dict[str, int]:
        """Network namespaces of pods that live for a moment, with their inodes."""
        cluster = derive(self.store.given, replace(self.state, short_pods=()))
        kept = {pod.network_namespace for pod in cluster.pods}
        return {
            name: inode
            for name, inode in self.state.names.items()
            if name not in kept and any(name.startswith(f"shop.{pod.job}-") for pod in self.state.short_pods)
        }

    def publish(self, cluster: Cluster) -> None:
        """Let the nodes enforce it and the cluster agent read it."""
        enforce(cluster)
        self.store.write_shown(shown(cluster))


@dataclass(slots=True)
class Control:
    """Reads what the lab is now, which another process may have changed, and changes it."""

    store: Store

    def cluster(self) -> Cluster:
        """As it is now. Raises CommandError when no lab is there."""
        state = self._state()
        return derive(self.store.given, state)

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """Wait for those who change the lab now. Raises CommandError when no lab is there."""
        self._state()
        with self.store.changing():
            yield Change(self.store, self._state())

    def change_policies(self, policies: list[Object], *, is_deleted: bool) -> None:
        """Add, replace or remove NetworkPolicies. Raises CommandError and changes nothing when they are not sound."""
        for policy in policies:
            if policy.get("kind") != "NetworkPolicy":
                raise CommandError(f"only NetworkPolicy can be changed while the lab runs, not {policy.get('kind')}")
        with self.changing() as change:
            before = self.store.given
            after = changed(before, policies, is_deleted=is_deleted)
            cluster = derive(after, change.state)
            try:
                enforce(cluster)
            except CommandError:
                enforce(derive(before, change.state))
                raise
            self.store.write_given(after)
            self.store.write_shown(shown(cluster))

    def count_truth(self) -> int:
        """Connections that were made."""
        path = self.store.layout.truth_path
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def _state(self) -> State:
        state = self.store.state
        if not state.is_complete:
            raise CommandError("no lab is there: conntrail lab up builds one")
        return state


def derive(given: list[Object], state: State) -> Cluster:
    """The cluster of these manifests. Raises CommandError when they lack something."""
    try:
        cluster = build_cluster(given, state.created_at)
        nodes = {node.name: node for node in cluster.nodes}
        for short in state.short_pods:
            cluster.pods.append(job_pod(cluster, short.job, short.ordinal, short.created_at, nodes[short.node]))
    except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        raise CommandError(f"the manifests are not understood: {type(error).__name__} {error}") from error
    return cluster


def changed(given: list[Object], policies: list[Object], *, is_deleted: bool) -> list[Object]:
    """Manifests with policies added, replaced or removed."""
    try:
        keys = {(policy["metadata"]["namespace"], policy["metadata"]["name"]) for policy in policies}
    except (KeyError, TypeError) as error:
        raise CommandError("a policy needs metadata with name and namespace") from error
    kept = [
        value
        for value in given
        if value.get("kind") != "NetworkPolicy"
        or (value["metadata"]["namespace"], value["metadata"]["name"]) not in keys
    ]
    return kept if is_deleted else [*kept, *policies]
