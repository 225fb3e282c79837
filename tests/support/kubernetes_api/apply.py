"""Server-side apply of whole manifests, which the API server holds strictly against what it knows of their kinds."""

from typing import Any

from tests.support.kubernetes_agent import await_that
from tests.support.kubernetes_api.server import ApiServer, RefusedError

Manifest = dict[str, Any]
_QUERY = "fieldManager=conntrail-test&force=true&fieldValidation=Strict"
_DEFINITIONS = "apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Applier:
    """One API server, and what it serves."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._served: dict[str, dict[str, Manifest]] = {}

    def define(self, definitions: list[Manifest]) -> None:
        """Install custom resources; returns when all are served."""
        for definition in definitions:
            self._patch(f"/{_DEFINITIONS}/{definition['metadata']['name']}", definition, _QUERY)
        for definition in definitions:
            await_that(lambda name=definition["metadata"]["name"]: self._is_established(name), "a kind is served")
        self._served.clear()

    def remove(self, definitions: list[Manifest]) -> None:
        """Take custom resources away again: other tests count what there is."""
        for definition in definitions:
            self._server.request("DELETE", f"/{_DEFINITIONS}/{definition['metadata']['name']}")

    def apply(self, manifest: Manifest, namespace: str = "", *, is_dry: bool = True) -> Manifest:
        """Into its own namespace, or this one. Raises RefusedError."""
        query = _QUERY + ("&dryRun=All" if is_dry else "")
        found: Manifest = self._patch(self._path(manifest, namespace), manifest, query)
        return found

    def refusals(self, manifests: list[Manifest], namespace: str = "") -> list[str]:
        """What of these would be refused, and why."""
        found = []
        for manifest in manifests:
            try:
                self.apply(manifest, namespace)
            except RefusedError as error:
                found.append(f"{manifest['kind']} {manifest['metadata']['name']}: {error}")
        return found

    def _path(self, manifest: Manifest, namespace: str) -> str:
        version = manifest["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if root not in self._served:
            resources = self._server.request("GET", root)["resources"]
            self._served[root] = {one["kind"]: one for one in resources if "/" not in one["name"]}
        resource = self._served[root].get(manifest["kind"])
        assert resource is not None, f"the API server has no {manifest['kind']} of {version}"
        metadata = manifest["metadata"]
        place = f"namespaces/{namespace or metadata['namespace']}/" if resource["namespaced"] else ""
        return f"{root}/{place}{resource['name']}/{metadata['name']}"

    def _patch(self, path: str, manifest: Manifest, query: str) -> Any:
        return self._server.request("PATCH", f"{path}?{query}", manifest, "application/apply-patch+yaml")

    def _is_established(self, name: str) -> bool:
        conditions = self._server.request("GET", f"/{_DEFINITIONS}/{name}").get("status", {}).get("conditions", [])
        return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
