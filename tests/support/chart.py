"""The chart as Helm renders it, and what stands in its manifests."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "chart"
OVERLAYS = ROOT / "deploy" / "kustomize"
NEEDED: dict[str, Any] = {
    "kafka": {"bootstrapServers": "kafka.kafka:9092"},
    "elasticsearch": {"hosts": "http://elasticsearch.elastic:9200"},
}
"""The only values without which nothing works."""
_POD_OWNERS = {"DaemonSet", "Deployment", "StatefulSet", "Job"}


def merged(values: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Values with others laid over them, as Helm does it."""
    found = dict(values)
    for name, value in other.items():
        below = found.get(name)
        found[name] = merged(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return found


def template(
    helm: Path, values: Mapping[str, Any], *options: str, release: str = "conntrail"
) -> "subprocess.CompletedProcess[str]":
    """``helm template`` with these values and no others than the chart's own."""
    command = [str(helm), "template", release, str(CHART), "--namespace", "conntrail", "--values", "-", *options]
    return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False, timeout=60)


def render(helm: Path, values: Mapping[str, Any], *options: str, release: str = "conntrail") -> list[Manifest]:
    """Manifests of the chart with the needed values and these."""
    done = template(helm, merged(NEEDED, values), *options, release=release)
    assert done.returncode == 0, done.stderr
    return parse(done.stdout)


def parse(text: str) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def rights_of(manifests: list[Manifest], account: str) -> list[Manifest]:
    """A service account, its roles and what binds them."""
    kinds = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    return [one for one in manifests if one["kind"] in kinds and one["metadata"]["name"] == account]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [manifest for manifest in of_kind(manifests, kind) if manifest["metadata"]["name"] == name]
    return found


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Name of the owner and template of each."""
    for manifest in manifests:
        if manifest["kind"] in _POD_OWNERS:
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


def environment(manifests: list[Manifest], template_of_pod: Manifest) -> dict[str, str]:
    """What a pod's container is told; what comes from a Secret or from the pod itself is a word."""
    (container,) = template_of_pod["spec"]["containers"]
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= named(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {entry["name"]: str(entry.get("value", "word")) for entry in container.get("env", [])}


def built_overlay(kustomize: Path, name: str) -> list[Manifest]:
    """What ``kustomize build`` makes of an overlay."""
    command = [str(kustomize), "build", str(OVERLAYS / name)]
    return parse(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
