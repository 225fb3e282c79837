"""Which Services lead to which pod, by EndpointSlices."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

Record = Mapping[str, Any]


class PodName(NamedTuple):
    """A pod by name: what an EndpointSlice refers to."""

    namespace: str
    name: str


class Membership:
    """Takes in EndpointSlices. As known now: a Service's name on a pod says where it belongs, not what was dialled."""

    def __init__(self) -> None:
        self._slices: dict[str, tuple[str, frozenset[PodName]]] = {}
        self._of_pod: dict[PodName, dict[str, str]] = {}

    def take(self, key: str, record: Record | None) -> AbstractSet[PodName]:
        """Take in an EndpointSlice, or its end. Returns the pods whose Services may have changed."""
        service, before = self._slices.pop(key, ("", frozenset[PodName]()))
        for pod in before:
            self._leave(key, pod)
        if record is None or record["deleted_at_ns"] is not None:
            return before
        pods = frozenset(
            PodName(record["namespace"], endpoint["pod_name"])
            for endpoint in record["endpoints"]
            if endpoint["pod_name"]
        )
        for pod in pods:
            self._of_pod.setdefault(pod, {})[key] = record["service_name"]
        self._slices[key] = (record["service_name"], pods)
        return pods ^ before if service == record["service_name"] else pods | before

    def services_of(self, pod: PodName) -> tuple[str, ...]:
        """Names of the Services, in the pod's namespace, sorted."""
        return tuple(sorted({service for service in self._of_pod.get(pod, {}).values() if service}))

    def _leave(self, key: str, pod: PodName) -> None:
        slices = self._of_pod.get(pod, {})
        slices.pop(key, None)
        if not slices:
            self._of_pod.pop(pod, None)
