"""A real API server accepts every manifest of chart and overlays; custom resources by their makers' definitions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import built_overlay, pods, render
from tests.support.chart_tools.fixture import helm, kustomize
from tests.support.definitions.module import module_definitions
from tests.support.definitions.strimzi import strimzi_definitions
from tests.support.kubernetes_api.apply import Applier
from tests.support.kubernetes_api.server import ApiServer, RefusedError
from tests.unit.deploy.test_chart import SCALED, SECURE

__all__ = ["helm", "kustomize"]


@pytest.fixture(scope="module")
def applier(api_server: ApiServer) -> Iterator[Applier]:
    """With the kinds of Strimzi, ECK and the Prometheus operator."""
    definitions = [*strimzi_definitions(), *module_definitions()]
    assert len(definitions) == 8
    made = Applier(api_server)
    made.define(definitions)
    yield made
    made.remove(definitions)


@pytest.fixture(scope="module")
def restricted(api_server: ApiServer) -> str:
    """A namespace that takes nothing but what Pod Security calls restricted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api_server.request("POST", "/api/v1/namespaces", {"metadata": {"name": "restricted", "labels": labels}})
    return "restricted"


@pytest.mark.parametrize("values", [{}, SECURE, SCALED], ids=["plain", "secure", "scaled"])
def test_the_chart_is_accepted(applier: Applier, helm: Path, values: dict[str, Any]) -> None:
    manifests = render(helm, values)
    assert len(manifests) > 25
    assert applier.refusals(manifests, "conntrail") == []


@pytest.mark.parametrize("overlay", ["small", "production", "external"])
def test_an_overlay_is_accepted(applier: Applier, kustomize: Path, overlay: str) -> None:
    manifests = built_overlay(kustomize, overlay)
    kinds = {manifest["kind"] for manifest in manifests}
    assert ({"Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser", "Elasticsearch", "Kibana"} <= kinds) == (
        overlay == "production"
    )
    assert applier.refusals(manifests) == []


def test_a_field_that_a_kind_does_not_have_is_refused(applier: Applier, kustomize: Path) -> None:
    manifests = built_overlay(kustomize, "production")
    for kind in ("Kafka", "KafkaUser", "Elasticsearch", "DaemonSet"):
        manifest = next(one for one in manifests if one["kind"] == kind)
        wrong = {**manifest, "spec": {**manifest["spec"], "misspelt": 1}}
        with pytest.raises(RefusedError, match="misspelt"):
            applier.apply(wrong)


def test_every_pod_but_the_node_agents_is_restricted(applier: Applier, helm: Path, restricted: str) -> None:
    refused: dict[str, str] = {}
    for name, template in pods(render(helm, SECURE)):
        spec = {key: value for key, value in template["spec"].items() if key != "priorityClassName"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        if reasons := applier.refusals([pod], restricted):
            refused[name] = reasons[0]
    assert refused.keys() == {"conntrail-agent"}
    assert "violates PodSecurity" in refused["conntrail-agent"]
