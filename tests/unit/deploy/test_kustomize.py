"""The base is the chart's, and each overlay is whole in itself."""

from pathlib import Path

import pytest
import yaml

from conntrail.local.elasticsearch.module import VERSION
from runtime.settings import load_settings
from tests.support.chart import (
    CHART,
    OVERLAYS,
    Manifest,
    built_overlay,
    environment,
    named,
    of_kind,
    pods,
    template,
)

_BASE = OVERLAYS / "base"
_FROM_OPERATORS = {
    "conntrail-node-agent",
    "conntrail-cluster-agent",
    "conntrail-worker",
    "conntrail-setup",
    "conntrail-cluster-ca-cert",
    "conntrail-es-http-certs-public",
}
_FROM_SETUP = {"conntrail-elasticsearch-worker", "conntrail-elasticsearch-setup"}


def test_the_base_is_the_chart_rendered(helm: Path) -> None:
    rendered = template(helm, yaml.safe_load((_BASE / "values.yaml").read_text()))
    assert rendered.returncode == 0, rendered.stderr
    assert (_BASE / "conntrail.yaml").read_text() == rendered.stdout


@pytest.mark.parametrize("overlay", ["small", "production", "external"])
def test_an_overlay_is_whole(kustomize: Path, overlay: str) -> None:
    manifests = built_overlay(kustomize, overlay)
    namespace = named(manifests, "Namespace", "conntrail")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    for name, pod in pods(manifests):
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] == "conntrail":
            settings = load_settings(environment(manifests, pod), {})
            assert settings.kafka.security_protocol == ("PLAINTEXT" if overlay == "small" else "SASL_SSL"), name
    secrets = set(_secrets(manifests))
    assert secrets == (set() if overlay == "small" else _FROM_OPERATORS | _FROM_SETUP)


@pytest.mark.parametrize("overlay", ["small", "production", "external"])
def test_policies_open_the_ports_of_the_addresses(kustomize: Path, overlay: str) -> None:
    manifests = built_overlay(kustomize, overlay)
    kafka, elasticsearch = _ports(named(manifests, "ConfigMap", "conntrail-settings")["data"])
    for policy in of_kind(manifests, "NetworkPolicy"):
        name = policy["metadata"]["name"]
        if name.startswith("conntrail-"):
            opened = {entry["port"] for rule in policy["spec"]["egress"] for entry in rule["ports"]}
            assert (kafka if name.endswith("agent") else kafka | elasticsearch) <= opened, name


def test_the_ports_of_addresses_elsewhere_stand_beside_them() -> None:
    """Who changes one file sees the other: the base's policies drop what goes to other ports."""
    external = OVERLAYS / "external"
    kafka, elasticsearch = _ports(yaml.safe_load((external / "settings.yaml").read_text())["data"])
    (patch,) = yaml.safe_load((external / "ports.yaml").read_text())
    assert {entry["port"] for entry in patch["value"]["ports"]} == kafka | elasticsearch


def test_each_part_is_the_kafka_user_whose_password_it_has(kustomize: Path) -> None:
    manifests = built_overlay(kustomize, "production")
    users = {user["metadata"]["name"] for user in of_kind(manifests, "KafkaUser")}
    for name, pod in pods(manifests):
        told = {entry["name"]: entry for entry in pod["spec"]["containers"][0]["env"]}
        user = told["CONNTRAIL_KAFKA__SASL_USERNAME"]["value"]
        assert user in users, name
        assert told["CONNTRAIL_KAFKA__SASL_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": user, "key": "password"}


def test_overlays_bring_the_elasticsearch_that_is_tested(kustomize: Path) -> None:
    production = built_overlay(kustomize, "production")
    assert {of_kind(production, kind)[0]["spec"]["version"] for kind in ("Elasticsearch", "Kibana")} == {VERSION}
    pod = dict(pods(built_overlay(kustomize, "small")))["elasticsearch"]
    assert pod["spec"]["containers"][0]["image"].endswith(f":{VERSION}")


def test_the_version_of_the_chart_is_that_of_the_package() -> None:
    project = (CHART.parents[1] / "pyproject.toml").read_text()
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert f'\nversion = "{chart["appVersion"]}"\n' in project


def _ports(settings: Manifest) -> tuple[set[int], set[int]]:
    """Those of Kafka and of Elasticsearch."""
    kafka, elasticsearch = (
        {int(address.rpartition(":")[2]) for address in settings[f"CONNTRAIL_{name}"].split(",")}
        for name in ("KAFKA__BOOTSTRAP_SERVERS", "ELASTICSEARCH__HOSTS")
    )
    return kafka, elasticsearch


def _secrets(manifests: list[Manifest]) -> list[str]:
    found = []
    for _, pod in pods(manifests):
        found += [volume["secret"]["secretName"] for volume in pod["spec"].get("volumes", []) if "secret" in volume]
        for entry in pod["spec"]["containers"][0].get("env", []):
            found += [source["name"] for kind, source in entry.get("valueFrom", {}).items() if kind == "secretKeyRef"]
    return found
