"""What a workload says of itself: its pods' template, who made it, whether it still asks for pods.

Pure. Manifests of a running cluster hold what controllers made beside what they made it from: of a chain of which
more is given than one, only the top makes pods.
"""

from collections.abc import Iterable
from typing import Any, Final

from conntrail.lab.cluster import CALL, Controller, Object

_MAKERS: Final = {
    "Pod": ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"),
    "ReplicaSet": ("Deployment",),
    "Job": ("CronJob",),
}
"""Which kinds make which."""
_ENDED: Final = ("Succeeded", "Failed")
Names = frozenset[tuple[str, str, str]]
"""Kind, namespace and name of objects."""


def names_of(objects: Iterable[Object]) -> Names:
    """Of all that have a namespace."""
    return frozenset(
        (value["kind"], value["metadata"].get("namespace", ""), value["metadata"]["name"]) for value in objects
    )


def is_made_by_another(value: Object, given: Names) -> bool:
    """Whether its controller is given too, or that one's."""
    controller = controller_of(value)
    if controller is None or controller.kind not in _MAKERS.get(value["kind"], ()):
        return False
    namespace = value["metadata"]["namespace"]
    above = [(kind, namespace, controller.name.rpartition("-")[0]) for kind in _MAKERS.get(controller.kind, ())]
    return any(name in given for name in [(controller.kind, namespace, controller.name), *above])


def has_ended(value: Object) -> bool:
    """A Pod or Job that a running cluster shows as ended, or one that is suspended, asks for no pods."""
    status: dict[str, Any] = value["status"] if isinstance(value.get("status"), dict) else {}
    if value["kind"] == "Pod":
        return status.get("phase") in _ENDED
    return value["kind"] in ("Job", "CronJob") and (bool(value["spec"].get("suspend")) or _is_over(status))


def controller_of(value: Object) -> Controller | None:
    """What made an object; a node that a static pod is bound to made nothing."""
    for owner in value["metadata"].get("ownerReferences", ()):
        if owner.get("controller") and owner["kind"] != "Node":
            return Controller(owner["kind"], owner["name"], owner["apiVersion"])
    return None


def owners_from(value: Object) -> tuple[Controller, ...]:
    """The workload itself, and what made it, which is not given."""
    above = controller_of(value)
    itself = Controller(value["kind"], value["metadata"]["name"], value["apiVersion"])
    return (itself, above) if above else (itself,)


def pod_template(value: Object) -> Object:
    """Metadata and spec of the pods of a workload."""
    template: Object = value if value["kind"] == "Pod" else job_spec(value)["template"]
    return {"metadata": template.get("metadata", {}), "spec": template["spec"]}


def job_spec(value: Object) -> Object:
    """Spec of a Job, also of a CronJob's; of any other workload its own."""
    spec: Object = value["spec"]["jobTemplate"]["spec"] if value["kind"] == "CronJob" else value["spec"]
    return spec


def is_run_by_traffic(value: Object) -> bool:
    """Whether the pods of a Job or CronJob come and go with traffic: those that are told to call somebody."""
    return value["kind"] in ("Job", "CronJob") and bool(
        pod_template(value)["metadata"].get("annotations", {}).get(CALL)
    )


def _is_over(status: dict[str, Any]) -> bool:
    conditions = status.get("conditions")
    return any(
        isinstance(item, dict) and item.get("type") in ("Complete", "Failed") and item.get("status") == "True"
        for item in (conditions if isinstance(conditions, list) else ())
    )
