"""Builds the server's program, or finds it built: some 8 minutes on 2 cores the first time, then nothing."""

import re
from pathlib import Path

from tests.support.go_program import GoProgram, Progress, built

SOURCES = Path(__file__).parent
_FILES = ("go.mod", "go.sum", "main.go")


def built_program(progress: Progress) -> Path:
    """Path of the program. Raises BuildError when neither a Go toolchain nor the modules can be had."""
    version = re.search(r"k8s\.io/kubernetes (v1\.(\d+)\.\d+)", (SOURCES / "go.mod").read_text())
    assert version is not None
    package = "k8s.io/component-base/version"
    flags = f"-s -w -X {package}.gitVersion={version[1]} -X {package}.gitMajor=1 -X {package}.gitMinor={version[2]}"
    return built(GoProgram("kubernetes-api", "a Kubernetes API server", SOURCES, _FILES, link_flags=flags), progress)
