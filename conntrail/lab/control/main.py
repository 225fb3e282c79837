"""The lab's control plane at work: one change at a time, whichever process asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.lab.audit.event import apply_requests, delete_requests
from conntrail.lab.change import as_stored, without
from conntrail.lab.cluster import Cluster, Object, Pod
from conntrail.lab.job import Run, run_pod
from conntrail.lab.kind import POLICY_KINDS, qualified_kind
from conntrail.lab.network.link import namespaces
from conntrail.lab.network.writer import enforce
from conntrail.lab.place import build_cluster
from conntrail.lab.policy.stack import policy_stack
from conntrail.lab.program.truth.fact import CONNECTION_START
from conntrail.lab.show import shown
from conntrail.lab.state import State
from conntrail.lab.store.reader import read_manifests
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

    def cluster(self) -> Cluster:
        """As it is now."""
        return derive(self.store.given, self.state)

    def with_runs(self, runs: tuple[Run, ...]) -> Cluster:
        """The cluster with these runs of jobs and no others."""
        self.write_state(replace(self.state, runs=runs))
        return self.cluster()

    def pods_of_runs(self) -> list[Pod]:
        """Pods that come and go, as far as they are there now."""
        cluster = self.cluster()
        return [run_pod(cluster, run) for run in self.state.runs]

    def namespaces_of_runs(self) -> dict[str, int]:
        """Network namespaces of pods that come and go, with their inodes: those that nothing else has."""
        kept = set(namespaces(derive(self.store.given, replace(self.state, runs=()))))
        return {name: inode for name, inode in self.state.names.items() if name not in kept}

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

    def change_policies(self, path: Path, user: str, *, is_deleted: bool) -> None:
        """Add, replace or remove policies, and what policies refer to; ``user`` does it, as the audit log says.

        Raises CommandError and changes nothing when they are not sound.
        """
        received_at = datetime.now(UTC)
        manifests = read_manifests(path)
        kinds = {qualified_kind(value["apiVersion"], value["kind"]) for value in manifests.objects}
        if others := {*manifests.left_out, *kinds}.difference(POLICY_KINDS):
            raise CommandError(f"{path}: only policies change while the lab runs, not {min(others)}")
        with self.changing() as change:
            before = self.store.given
            after = without(before, manifests.objects)
            if not is_deleted:
                now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
                after += as_stored(before, manifests.objects, change.state.created_at, now)
            cluster = derive(after, change.state)
            try:
                policy_stack(cluster)
            except CommandError as error:
                raise CommandError(f"{path}: {error}") from error
            try:
                enforce(cluster)
            except CommandError:
                enforce(derive(before, change.state))
                raise
            self.store.write_given(after)
            self.store.write_shown(shown(cluster))
            requests = delete_requests if is_deleted else apply_requests
            self.store.audit.write(requests(before, manifests.objects), user, received_at)

    def count_truth(self) -> int:
        """Connections that were made."""
        path = self.store.layout.truth_path
        return path.read_bytes().count(CONNECTION_START) if path.exists() else 0

    def _state(self) -> State:
        state = self.store.state
        if not state.is_complete:
            raise CommandError("no lab is there: conntrail lab up builds one")
        return state


def derive(given: list[Object], state: State) -> Cluster:
    """The cluster of these manifests. Raises CommandError when they ask for more than there is."""
    return build_cluster(given, state.created_at, state.runs, state.statuses)
