"""An API server for the session, and rights that tests give out on it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import OVERLAYS, parse
from tests.support.feed import FeedView
from tests.support.go_program import built_or_skipped
from tests.support.kubernetes_agent import ObjectsView
from tests.support.kubernetes_api.build import built_kubectl
from tests.support.kubernetes_api.server import ApiServer

_LACKING = "no Kubernetes"

RULES: list[dict[str, Any]] = [
    rule
    for role in parse((OVERLAYS / "base" / "conntrail.yaml").read_text())
    if role["kind"] in {"ClusterRole", "Role"}
    for rule in ({name: value for name, value in given.items() if name != "resourceNames"} for given in role["rules"])
]
"""Exactly the chart's, but for the name of the lease: each test has its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a session waits for the server's build, some minutes where nothing is cached."""
    for item in items:
        if "tests/kubernetes/" in str(item.path):
            item.add_marker(pytest.mark.kubernetes)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def kubectl(request: pytest.FixtureRequest) -> Path:
    """The program."""
    return built_or_skipped(request, built_kubectl, _LACKING)


@pytest.fixture(scope="session")
def api_server(request: pytest.FixtureRequest) -> Iterator[ApiServer]:
    """With a namespace for leases and one service account that may do what the agent needs."""
    server = built_or_skipped(request, ApiServer, _LACKING)
    try:
        server.start()
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": "conntrail"}})
        yield server
    finally:
        server.stop()


@pytest.fixture
def account(api_server: ApiServer) -> Callable[[str, list[dict[str, Any]]], Path]:
    """Makes a service account with these rules and gives its kubeconfig."""

    def make(name: str, rules: list[dict[str, Any]]) -> Path:
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        accounts = "/api/v1/namespaces/conntrail/serviceaccounts"
        api_server.request("POST", accounts, {"metadata": {"name": name}})
        api_server.request("POST", f"{rbac}/clusterroles", {"metadata": {"name": name}, "rules": rules})
        subject = {"kind": "ServiceAccount", "name": name, "namespace": "conntrail"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
        api_server.request("POST", f"{rbac}/clusterrolebindings", binding)
        asked = {"spec": {"expirationSeconds": 7200}}
        token = api_server.request("POST", f"{accounts}/{name}/token", asked)["status"]["token"]
        return api_server.kubeconfig(token)

    return make


@pytest.fixture
def kubeconfig(account: Callable[[str, list[dict[str, Any]]], Path], topic_prefix: str) -> Path:
    """With exactly the rights that the agent needs."""
    return account(topic_prefix.rstrip("."), RULES)


@pytest.fixture
def view(kafka: str, topic_prefix: str) -> Iterator[ObjectsView]:
    """The topic of this test."""
    found = ObjectsView(kafka, topic_prefix)
    yield found
    found.close()


@pytest.fixture
def feed(kafka: str, view: ObjectsView) -> Iterator[FeedView]:
    """The topics beside the objects."""
    found = FeedView(kafka, view.prefix)
    yield found
    found.close()


@pytest.fixture
def settings(kafka: str, view: ObjectsView, kubeconfig: Path) -> dict[str, str]:
    """Of an agent that follows the API server, with a lease of this test's own."""
    return {
        "CLUSTER": "test",
        "KAFKA__BOOTSTRAP_SERVERS": kafka,
        "KAFKA__TOPIC_PREFIX": view.prefix,
        "CLUSTER_AGENT__KUBECONFIG": str(kubeconfig),
        "CLUSTER_AGENT__LEASE_NAME": view.prefix.rstrip("."),
        "CLUSTER_AGENT__LEASE_DURATION": "6s",
    }
