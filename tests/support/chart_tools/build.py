"""Builds Helm and kustomize, or finds them built: some 3 minutes on 2 cores the first time, then nothing."""

from pathlib import Path

from tests.support.go_program import GoProgram, Progress, built

SOURCES = Path(__file__).parent
_FILES = ("go.mod", "go.sum")


def built_helm(progress: Progress) -> Path:
    """Raises BuildError."""
    return built(GoProgram("helm", "Helm", SOURCES, _FILES, "helm.sh/helm/v4/cmd/helm"), progress)


def built_kustomize(progress: Progress) -> Path:
    """Raises BuildError."""
    return built(GoProgram("kustomize", "kustomize", SOURCES, _FILES, "sigs.k8s.io/kustomize/kustomize/v5"), progress)
