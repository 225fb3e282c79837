"""Outages on demand: programs that end, pods that no Service leads to, and the way back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import SERVE, Pod, PodStatus
from conntrail.lab.control.main import Control
from conntrail.lab.traffic.writer import Programs

_START_SECONDS: Final = 15.0


@dataclass(slots=True)
class Outage:
    """What befalls pods of a lab."""

    control: Control
    programs: Programs

    def stop(self, pods: Iterable[Pod]) -> None:
        """End what they serve by, as a crash does. Their containers count as restarted, and nothing listens in them.

        They stay ready, as pods without a probe do. Raises CommandError when nothing serves there.
        """
        served = [pod for pod in pods if self.programs.stop(pod.network_namespace, pod.workload[1])]
        if not served:
            raise CommandError("no program serves there: conntrail lab start starts it again")
        self._change(served, lambda status: replace(status, restarts=status.restarts + 1))

    def start(self, pods: Iterable[Pod]) -> None:
        """Let them serve again; returns when they can be called. Raises CommandError when they do already."""
        servers = [
            self.programs.serve(pod.network_namespace, pod.workload[1], pod.annotations.get(SERVE, ""))
            for pod in pods
            if not self.programs.is_serving(pod.network_namespace, pod.workload[1])
        ]
        if not any(servers):
            raise CommandError(f"nothing was stopped there, or {SERVE} of its manifest names nothing to serve")
        self.programs.await_listening(servers, _START_SECONDS)

    def set_ready(self, pods: Iterable[Pod], *, is_ready: bool) -> None:
        """Let Services lead to them, or no more; their programs run on."""
        self._change(pods, lambda status: replace(status, is_ready=is_ready))

    def _change(self, pods: Iterable[Pod], changed: Callable[[PodStatus], PodStatus]) -> None:
        with self.control.changing() as change:
            known = change.state.statuses
            new = {pod.title: changed(known.get(pod.title, PodStatus())) for pod in pods}
            change.write_state(replace(change.state, statuses={**known, **new}))
            change.publish(change.cluster())
