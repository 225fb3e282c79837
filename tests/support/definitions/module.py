"""Definitions that lie in Go modules: of ECK and of the Prometheus operator."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.support.go_program import BuildError, go_command

_SOURCES = Path(__file__).parent
_ECK = "github.com/elastic/cloud-on-k8s/v3"
_PROMETHEUS = "github.com/prometheus-operator/prometheus-operator"
_PATIENCE_SECONDS = 300
_KINDS = {"Elasticsearch", "Kibana", "PodMonitor", "PrometheusRule"}


def module_definitions() -> list[dict[str, Any]]:
    """Raises BuildError without a Go toolchain or the modules."""
    eck = _directory(_ECK) / "config" / "crds" / "v1" / "all-crds.yaml"
    operator = _directory(_PROMETHEUS) / "example" / "prometheus-operator-crd"
    files = [eck, *(operator / f"monitoring.coreos.com_{name}.yaml" for name in ("podmonitors", "prometheusrules"))]
    found = [document for file in files for document in yaml.safe_load_all(file.read_text()) if document]
    return [one for one in found if one["spec"]["names"]["kind"] in _KINDS]


def _directory(module: str) -> Path:
    """Where the module is unpacked; its content is held against go.sum."""
    command = [*go_command(), "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=_SOURCES, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS)
    if done.returncode:
        raise BuildError(f"go mod download: {done.stdout[-500:]} {done.stderr[-500:]}")
    return Path(json.loads(done.stdout)["Dir"])
