"""The plug-in with a real kubectl on a real API server. No kubelet runs: a port-forward can only fail, in one line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.workloads import Workloads
from tests.support.kubernetes_api.server import ApiServer

_LABELS = {"app.kubernetes.io/name": "conntrail"}


class Plugin:
    """As kubectl starts it: ``kubectl-conntrail`` on the PATH."""

    def __init__(self, kubectl: Path, kubeconfig: Path) -> None:
        self._kubectl = kubectl
        self._environment = {
            "HOME": str(kubeconfig.parent),
            "KUBECONFIG": str(kubeconfig),
            "PATH": f"{kubectl.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def run(self, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        own = {f"CONNTRAIL_{name}": value for name, value in settings.items()}
        return subprocess.run(
            [self._kubectl, "conntrail", *words],
            env=self._environment | own, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip

    def complete(self, *words: str) -> list[str]:
        done = subprocess.run(
            [self._kubectl, "__complete", "conntrail", *words],
            env=self._environment, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return [line for line in done.stdout.splitlines() if not line.startswith(":")]


@pytest.fixture
def namespace(api_server: ApiServer, topic_prefix: str) -> str:
    return Workloads(api_server, topic_prefix.rstrip(".")).namespace


@pytest.fixture
def plugin(api_server: ApiServer, kubectl: Path, namespace: str) -> Plugin:
    """With a kubeconfig whose context is in the test's namespace."""
    path = api_server.kubeconfig()
    document = json.loads(path.read_text())
    document["contexts"][0]["context"]["namespace"] = namespace
    path.write_text(json.dumps(document))
    return Plugin(kubectl, path)


@pytest.fixture
def installed(api_server: ApiServer, namespace: str) -> Iterator[Callable[..., None]]:
    """Writes what the chart would leave in the namespace; gone afterwards, since others look everywhere."""
    made: list[str] = []

    def make(kind: str, component: str, **body: Any) -> None:
        labels = {**_LABELS, "app.kubernetes.io/component": component}
        path = f"/api/v1/namespaces/{namespace}/{kind}"
        api_server.request("POST", path, {"metadata": {"name": component, "labels": labels}, **body})
        made.append(f"{path}/{component}")

    yield make
    for path in made:
        api_server.request("DELETE", f"{path}?gracePeriodSeconds=0")


def _one_line(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1, done.stdout
    [line] = done.stderr.splitlines()
    return line


def test_without_an_installation_one_line_says_what_to_do(plugin: Plugin) -> None:
    line = _one_line(plugin.run("observe"))
    assert line.startswith("kubectl conntrail: no installation of Conntrail is in this cluster")
    assert "--installation" in line


def test_what_kubectl_refuses_is_told_in_its_words(plugin: Plugin) -> None:
    assert _one_line(plugin.run("observe", "--context", "elsewhere")).endswith("specified context: elsewhere")


def test_a_forward_that_cannot_be_opened_is_one_line(
    plugin: Plugin, installed: Callable[..., None], namespace: str
) -> None:
    installed("configmaps", "settings", data={"CONNTRAIL_ELASTICSEARCH__HOSTS": "http://elasticsearch:9200"})
    line = _one_line(plugin.run("observe"))
    assert f"port-forward to service/elasticsearch in {namespace}" in line
    assert "not found" in line


def test_the_api_of_alerts_is_looked_for_among_the_workers(plugin: Plugin) -> None:
    assert "no running worker serves the API of alerts" in _one_line(plugin.run("alerts", "list"))


def test_flows_are_those_of_the_contexts_namespace_in_an_elasticsearch_that_can_be_reached(
    plugin: Plugin, installed: Callable[..., None], elasticsearch: str
) -> None:
    installed("configmaps", "settings", data={"CONNTRAIL_ELASTICSEARCH__NAMESPACE": "nothing.there"})
    done = plugin.run("observe", "-o", "json", "--since", "1h", ELASTICSEARCH__HOSTS=elasticsearch)
    assert (done.returncode, json.loads(done.stdout or "null")) == (0, []), done.stderr


def test_policies_are_those_of_the_api_server(
    plugin: Plugin, installed: Callable[..., None], api_server: ApiServer, namespace: str, elasticsearch: str
) -> None:
    installed("configmaps", "settings", data={"CONNTRAIL_ELASTICSEARCH__NAMESPACE": "nothing.there"})
    body = {"metadata": {"name": "closed"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
    api_server.request("POST", f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies", body)
    done = plugin.run("policy", "list", "-o", "json", ELASTICSEARCH__HOSTS=elasticsearch)
    assert done.returncode == 0, done.stderr
    [policy] = json.loads(done.stdout)
    assert (policy["namespace"], policy["name"]) == (namespace, "closed")


def test_doctor_asks_for_the_rights_of_the_cluster_agents_account(
    plugin: Plugin,
    installed: Callable[..., None],
    api_server: ApiServer,
    namespace: str,
) -> None:
    done = plugin.run("doctor", "cluster", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no installation" in _one_line(plugin.run("doctor", "-o", "json")), "Elasticsearch is looked at too"
    api_server.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "agent"}})
    lease = {
        "name": "CONNTRAIL_CLUSTER_AGENT__LEASE_NAMESPACE",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
    }
    container = {"name": "main", "image": "x:1", "env": [lease]}
    installed("pods", "cluster-agent", spec={"serviceAccountName": "agent", "containers": [container]})
    done = plugin.run("doctor", "cluster", "-o", "json")
    refused = [one["found"] for one in json.loads(done.stdout) if one["state"] == "missing"]
    assert "no right to list, watch networkpolicies.networking.k8s.io" in refused
    assert f"no right to get, create, update leases.coordination.k8s.io in namespace {namespace}" in refused
    assert done.returncode == 1


def test_kubectl_completes_commands_namespaces_contexts_and_options(plugin: Plugin, namespace: str) -> None:
    assert plugin.complete("") == ["observe", "policy", "alerts", "doctor"]
    assert plugin.complete("observe", "-n", namespace[:-2]) == [namespace]
    assert plugin.complete("observe", "--context", "t") == ["test"]
    assert plugin.complete("observe", "--verd") == ["--verdict"]
