"""What the script asks of the program that builds images."""

import subprocess
from pathlib import Path

import pytest

from tests.support.chart import ROOT

_BASE = "registry.example/python@sha256:" + "0" * 64


def _asked(directory: Path, tool: str, platforms: str) -> list[list[str]]:
    """Arguments of each call of a program of this name, which does nothing but write them down."""
    written = directory / "calls"
    program = directory / tool
    program.write_text(f'#!/bin/sh\necho "$@" >> {written}\n')
    program.chmod(0o755)
    for needed in ("bash", "sed", "dirname"):
        (directory / needed).symlink_to(f"/bin/{needed}" if Path(f"/bin/{needed}").exists() else f"/usr/bin/{needed}")
    settings = {"PATH": str(directory), "PYTHON_IMAGE": _BASE, "PLATFORMS": platforms, "IMAGES": "node", "TAG": "1"}
    subprocess.run([ROOT / "deploy/images/build.sh"], env=settings, check=True, capture_output=True, timeout=60)
    return [line.split() for line in written.read_text().splitlines()]


@pytest.mark.parametrize("tool", ["buildah", "podman", "docker"])
@pytest.mark.parametrize("platforms", ["", "linux/arm64", "linux/amd64,linux/arm64"])
def test_several_platforms_are_a_manifest_list_and_one_is_an_image(tmp_path: Path, tool: str, platforms: str) -> None:
    """buildah-build(1): with more than one platform ``--manifest`` instead of ``--tag``, which names the last alone."""
    (build,) = [call for call in _asked(tmp_path, tool, platforms) if call[0] == "build"]
    option = "--manifest" if "," in platforms and tool != "docker" else "--tag"
    assert build[build.index(option) + 1] == "ghcr.io/conntrail/conntrail-node:1"
    assert ("--tag" in build) != ("--manifest" in build)
