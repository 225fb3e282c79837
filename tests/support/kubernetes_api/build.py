"""Builds the API server's program and kubectl, or finds them built: some 8 minutes on 2 cores once, then nothing."""

import re
from pathlib import Path

from tests.support.go_program import GoProgram, Progress, built

SOURCES = Path(__file__).parent
_KUBECTL = SOURCES / "kubectl"
_FILES = ("go.mod", "go.sum")


def built_program(progress: Progress) -> Path:
    """The server. Raises BuildError when neither a Go toolchain nor the modules can be had."""
    files = (*_FILES, "main.go")
    return built(GoProgram("kubernetes-api", "a Kubernetes API server", SOURCES, files, link_flags=_flags()), progress)


def built_kubectl(progress: Progress) -> Path:
    """Of the server's version. Raises BuildError."""
    package = "k8s.io/kubernetes/cmd/kubectl"
    return built(GoProgram("kubectl", "kubectl", _KUBECTL, _FILES, package, _flags()), progress)


def _flags() -> str:
    version = re.search(r"k8s\.io/kubernetes (v1\.(\d+)\.\d+)", (SOURCES / "go.mod").read_text())
    assert version is not None
    package = "k8s.io/component-base/version"
    return f"-s -w -X {package}.gitVersion={version[1]} -X {package}.gitMajor=1 -X {package}.gitMinor={version[2]}"
