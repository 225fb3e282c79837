"""Traffic: every pod's client does what it is told, while pods of Jobs and CronJobs come and go."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL, SERVE, Cluster, Object, Pod
from conntrail.lab.control.main import Control
from conntrail.lab.job import jobs, next_run, starts
from conntrail.lab.network.writer import connect_pod, disconnect_pod, make_namespaces, remove_namespaces
from conntrail.lab.order import order_for, orders, pod_tasks
from conntrail.lab.traffic.writer import Process, Programs, end

Progress = Callable[[str], None]
_HEAD_START_SECONDS: Final = 0.4
"""Between an object's appearance and its pod's first packet, as a kubelet would take to start it."""
_RUN_SECONDS: Final = 1.5
"""Of one run of a job; none begins that would end after the traffic."""
_PAUSE_SECONDS: Final = 1.0
"""Between a pod's end and the next one that gets its address, as a cluster would take at least."""
_PROGRESS_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 15.0


@dataclass(slots=True)
class Traffic:
    """One run of traffic."""

    control: Control
    programs: Programs
    progress: Progress

    def run(self, seconds: float, rate: float) -> None:
        """Until all connections have ended. Raises CommandError, also while another run goes on."""
        self.control.cluster()
        with self.control.store.talking():
            self._remove_runs()
            self._run(self.control.cluster(), seconds, rate)

    def _run(self, cluster: Cluster, seconds: float, rate: float) -> None:
        calling = list(orders(cluster, self.control.store.layout.truth_path, seconds, rate))
        running = jobs(cluster)
        if not calling and not running:
            raise CommandError(f"no pod is told to call anybody: the annotation {CALL} of its manifest says whom")
        clients: list[Process] = []
        try:
            for pod, order in calling:
                clients.append(self.programs.call(pod.network_namespace, order))
            self._run_jobs(running, seconds)
        except BaseException:
            end(clients)
            raise
        self.programs.await_end(clients, _PATIENCE_SECONDS)
        self.progress(f"traffic: {self.control.count_truth()} connections made")

    def _run_jobs(self, values: list[Object], seconds: float) -> None:
        """One after the other, with a pause between, however late."""
        clock = _Clock(self.control, self.progress, time.monotonic(), seconds)
        earliest = 0.0
        for at, job in starts(values):
            begins = max(at, earliest)
            if begins > seconds - _RUN_SECONDS:
                break
            clock.wait(begins)
            self._run_job(job)
            earliest = clock.elapsed + _PAUSE_SECONDS
        clock.wait(seconds)

    def _run_job(self, job: Object) -> None:
        """A pod that appears, calls once and is gone; the next one gets its address."""
        pod = self._appear(job)
        started: list[Process] = []
        try:
            time.sleep(_HEAD_START_SECONDS)
            cluster = self.control.cluster()
            tasks = pod_tasks(cluster, pod)
            order = order_for(cluster, pod, self.control.store.layout.truth_path, 1.0, tasks)
            server = self.programs.serve(pod.network_namespace, pod.workload[1], pod.annotations.get(SERVE, ""))
            started += [server] if server else []
            self.programs.await_listening(started, _PATIENCE_SECONDS)
            client = self.programs.call(pod.network_namespace, replace(order, is_once=True))
            self.programs.await_end([client], _PATIENCE_SECONDS)
        finally:
            end(started)
            self._remove_runs()

    def _appear(self, job: Object) -> Pod:
        """Objects first, then the network: whoever reads them knows the address before it is used."""
        with self.control.changing() as change:
            run = next_run(change.cluster(), job, datetime.now(UTC).isoformat())
            cluster: Cluster = change.with_runs((*change.state.runs, run))
            pod = cluster.pods[-1]
            if not pod.is_on_host_network:
                change.write_state(change.state.with_namespaces([pod.network_namespace]))
                inodes = make_namespaces([pod.network_namespace])
                change.write_state(replace(change.state, namespaces={**change.state.names, **inodes}))
                connect_pod(pod)
            change.publish(cluster)
        return pod

    def _remove_runs(self) -> None:
        """Also those of traffic that was killed."""
        with self.control.changing() as change:
            gone = change.namespaces_of_runs()
            if not gone and not change.state.runs:
                return
            remove_namespaces(gone)
            for pod in change.pods_of_runs():
                disconnect_pod(pod)
            change.publish(change.with_runs(()))
            names = {name: inode for name, inode in change.state.names.items() if name not in gone}
            change.write_state(replace(change.state, namespaces=names))


@dataclass(slots=True)
class _Clock:
    """Waits, and tells how far the traffic is meanwhile."""

    control: Control
    progress: Progress
    began: float
    seconds: float
    told_at: float = -_PROGRESS_SECONDS

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def wait(self, until: float) -> None:
        """Until so many seconds after the beginning; the past is over at once."""
        while True:
            if self.elapsed - self.told_at >= _PROGRESS_SECONDS:
                self.told_at = self.elapsed
                left = max(self.seconds - self.elapsed, 0)
                self.progress(f"traffic: {self.control.count_truth()} connections so far, {left:.0f} s to go")
            if (left := until - self.elapsed) <= 0:
                return
            time.sleep(min(left, _PROGRESS_SECONDS))
