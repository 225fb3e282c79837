"""Traffic: every pod's client does what it is told, while pods that live for a moment come and go."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from conntrail.lab.cluster import Cluster, Pod
from conntrail.lab.control.main import Control
from conntrail.lab.network.writer import connect_pod, make_namespaces, remove_namespaces
from conntrail.lab.order import SHORT_CALL, order_for, orders, task_of
from conntrail.lab.state import ShortPod
from conntrail.lab.traffic.writer import Process, Programs, end

Progress = Callable[[str], None]
HEAD_START_SECONDS: Final = 0.4
"""Between an object's appearance and its pod's first packet, as a kubelet would take to start it."""
_JOBS: Final = ("import", "export")
_JOB_EVERY_SECONDS: Final = 1.5
_PROGRESS_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 15.0


@dataclass(slots=True)
class Traffic:
    """One run of traffic."""

    control: Control
    programs: Programs
    progress: Progress

    def run(self, seconds: float, rate: float) -> None:
        """Until all connections have ended. Raises CommandError."""
        self._remove_short_pods()
        cluster = self.control.cluster()
        clients: list[Process] = []
        try:
            for pod, order in orders(cluster, self.control.store.layout.truth_path, seconds, rate):
                clients.append(self.programs.call(pod.network_namespace, order))
            self._run_jobs(seconds)
        except BaseException:
            end(clients)
            raise
        self.programs.await_end(clients, _PATIENCE_SECONDS)
        self.progress(f"traffic: {self.control.count_truth()} connections made")

    def _run_jobs(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        told_at, ordinal = 0.0, 0
        while (left := until - time.monotonic()) > 0:
            if time.monotonic() - told_at >= _PROGRESS_SECONDS:
                told_at = time.monotonic()
                self.progress(f"traffic: {self.control.count_truth()} connections so far, {left:.0f} s to go")
            if left > _JOB_EVERY_SECONDS:
                ordinal += 1
                self._run_job(_JOBS[ordinal % len(_JOBS)], ordinal)
            time.sleep(min(_JOB_EVERY_SECONDS, max(until - time.monotonic(), 0)))

    def _run_job(self, job: str, ordinal: int) -> None:
        """A pod that appears, makes one connection and is gone; the next one gets its address."""
        cluster = self.control.cluster()
        if not any((s.namespace, s.name) == ("data", "postgres") for s in cluster.services):
            return
        pod = self._appear(ShortPod(job, ordinal, datetime.now(UTC).isoformat(), cluster.nodes[-1].name))
        try:
            time.sleep(HEAD_START_SECONDS)
            task = task_of(cluster, SHORT_CALL)
            order = order_for(pod, self.control.store.layout.truth_path, 1.0, (task,))
            client = self.programs.call(pod.network_namespace, replace(order, is_once=True))
            self.programs.await_end([client], _PATIENCE_SECONDS)
        finally:
            self._remove_short_pods()

    def _appear(self, short: ShortPod) -> Pod:
        """Objects first, then the network: whoever reads them knows the address before it is used."""
        with self.control.changing() as change:
            cluster: Cluster = change.with_short_pods((*change.state.short_pods, short))
            pod = cluster.pods[-1]
            change.write_state(change.state.with_namespaces([pod.network_namespace]))
            inodes = make_namespaces([pod.network_namespace])
            change.write_state(replace(change.state, namespaces={**change.state.names, **inodes}))
            connect_pod(pod)
            change.publish(cluster)
        return pod

    def _remove_short_pods(self) -> None:
        """Also of a run that was killed."""
        with self.control.changing() as change:
            gone = change.short_namespaces()
            if not gone:
                return
            remove_namespaces(gone)
            cluster = change.with_short_pods(())
            change.publish(cluster)
            names = {name: inode for name, inode in change.state.names.items() if name not in gone}
            change.write_state(replace(change.state, namespaces=names))
