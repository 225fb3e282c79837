"""Makes objects on the API server as controllers and the kubelet would."""

from datetime import UTC, datetime
from typing import Any

from tests.support.kubernetes_agent import ObjectsView
from tests.support.kubernetes_api.server import ApiServer, RefusedError

_MERGE = "application/merge-patch+json"
_KINDS = {
    "Pod": "/api/v1/pods",
    "Service": "/api/v1/services",
    "ServiceAccount": "/api/v1/serviceaccounts",
    "Node": "/api/v1/nodes",
    "Namespace": "/api/v1/namespaces",
    "ReplicaSet": "/apis/apps/v1/replicasets",
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
    "DaemonSet": "/apis/apps/v1/daemonsets",
    "Job": "/apis/batch/v1/jobs",
    "CronJob": "/apis/batch/v1/cronjobs",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/endpointslices",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/networkpolicies",
}


class Workloads:
    """One namespace of a test's own."""

    def __init__(self, server: ApiServer, namespace: str) -> None:
        self._server = server
        self.namespace = namespace
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})

    def make_pod(self, name: str, owner: dict[str, Any] | None = None) -> None:
        """Bound to a node, not yet started."""
        metadata: dict[str, Any] = {"name": name, "labels": {"app": name}}
        if owner is not None:
            reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
            reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
            metadata["ownerReferences"] = [reference]
        spec = {"nodeName": "node1", "containers": [{"name": "main", "image": "example/image"}]}
        self._server.request("POST", self._pods, {"metadata": metadata, "spec": spec})

    def run_pod(self, name: str, address: str) -> None:
        """As the kubelet reports it."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "startTime": now}
        self._patch(name, status)

    def end_pod(self, name: str) -> None:
        """It has done its work; the object stays."""
        self._patch(name, {"phase": "Succeeded"})

    def label_pod(self, name: str, labels: dict[str, str]) -> None:
        self._server.request("PATCH", f"{self._pods}/{name}", {"metadata": {"labels": labels}}, _MERGE)

    def delete_pod(self, name: str) -> None:
        self._server.request("DELETE", f"{self._pods}/{name}", {"gracePeriodSeconds": 0})

    def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Any object of this namespace; ``path`` is its API group and resource, for example apps/v1/deployments."""
        group, _, resource = path.rpartition("/")
        root = f"/api/{group}" if "/" not in group else f"/apis/{group}"
        made: dict[str, Any] = self._server.request("POST", f"{root}/namespaces/{self.namespace}/{resource}", body)
        return made

    def _patch(self, name: str, status: dict[str, Any]) -> None:
        self._server.request("PATCH", f"{self._pods}/{name}/status", {"status": status}, _MERGE)


def differences(server: ApiServer, view: ObjectsView) -> list[str]:
    """Where the topic does not say what the API says now, in words."""
    told = view.read().living()
    found: list[str] = []
    expected: set[str] = set()
    for kind, path in _KINDS.items():
        try:
            listed = server.request("GET", path)["items"]
        except RefusedError as error:
            return [str(error)]
        for value in listed:
            metadata = value["metadata"]
            key = f"{kind}/{metadata.get('namespace', '')}/{metadata['name']}"
            expected.add(key)
            if key not in told:
                found.append(f"{key} is missing")
            elif (reason := _difference(value, told[key])) is not None:
                found.append(f"{key}: {reason}")
    return found + [f"{key} is not there any more" for key in told.keys() - expected]


def _difference(value: dict[str, Any], record: dict[str, Any]) -> str | None:
    metadata, status = value["metadata"], value.get("status", {})
    if record["uid"] != metadata["uid"]:
        return "another UID"
    if record["labels"] != metadata.get("labels", {}):
        return f"labels {record['labels']}"
    if value.get("kind", record["kind"]) != record["kind"]:
        return "another kind"
    if record["kind"] != "Pod":
        return None
    if record["phase"] != status.get("phase", ""):
        return f"phase {record['phase']}"
    is_over = status.get("phase") in ("Succeeded", "Failed")
    has = [] if is_over else [item["ip"] for item in status.get("podIPs", ())]
    held = [entry["address"] for entry in record["addresses"] if entry["released_at_ns"] is None]
    return None if held == has else f"holds {held}, not {has}"
