"""What an image holds, also where none can be built: locked requirements in an empty environment, and its command."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chart import ROOT

_UV = str(Path(sys.executable).with_name("uv"))
_IMAGES = ROOT / "deploy" / "images"
_NAMES = ("node", "cluster", "streams")
_HEAVY = ("kubernetes", "elasticsearch", "faust", "polars")
_X86, _ARM = "x86_64-manylinux_2_28", "aarch64-manylinux_2_28"
_BUILT_FOR = [
    *((name, platform) for name in ("node", "cluster", "build") for platform in (_X86, _ARM)),
    ("streams", _X86),  # faust-streaming 0.15.3 is published neither as source nor for ARM
]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module", params=_NAMES)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run]:
    """Name, and what runs Python in an environment of nothing but the image's requirements."""
    name: str = request.param
    place = tmp_path_factory.mktemp(name) / "environment"
    lock = ROOT / "locks" / f"{name}.txt"
    python = place / "bin" / "python"
    subprocess.run([_UV, "venv", "--quiet", "--python", sys.executable, str(place)], check=True)
    install = [_UV, "pip", "sync", "--quiet", "--require-hashes", "--only-binary", ":all:", "--python", str(python)]
    subprocess.run([*install, str(lock)], check=True)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CONNTRAIL_LOG__FORMAT": "json"}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(python), *arguments],
            env=environment,
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return name, run


def test_the_command_of_an_image_starts_with_its_requirements_alone(image: tuple[str, Run]) -> None:
    name, run = image
    module = {"node": "agents.node", "cluster": "agents.cluster", "streams": "streams"}[name]
    assert f'ENTRYPOINT ["python", "-m", "{module}"]' in (_IMAGES / f"{name}.Containerfile").read_text()
    done = run("-m", module, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_of_a_node_is_lean(image: tuple[str, Run]) -> None:
    name, run = image
    code = f"import importlib.util as u; print([n for n in {_HEAVY!r} if u.find_spec(n)])"
    found = run("-c", code).stdout.strip()
    assert found == {"node": "[]", "cluster": "['kubernetes']", "streams": "['elasticsearch', 'faust', 'polars']"}[name]


@pytest.mark.parametrize("image", ["streams"], indirect=True)
def test_the_image_of_workers_sets_up_and_observes(image: tuple[str, Run], tmp_path: Path) -> None:
    _, run = image
    done = run("-m", "conntrail", "setup", "--write-templates", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*.json"))
    for command in ("observe", "policy", "alerts", "report", "setup"):
        done = run("-m", "conntrail", command, "--help")
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "platform"), _BUILT_FOR)
def test_requirements_are_there_for_the_architectures(name: str, platform: str, tmp_path: Path) -> None:
    command = [_UV, "pip", "install", "--quiet", "--dry-run", "--target", str(tmp_path), "--python-version", "3.11"]
    options = ["--python-platform", platform, "--only-binary", ":all:", "--require-hashes"]
    lock = str(ROOT / "locks" / f"{name}.txt")
    done = subprocess.run([*command, *options, "-r", lock], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", _NAMES)
def test_a_containerfile_is_clean(name: str) -> None:
    linter = str(Path(sys.executable).with_name("hadolint"))
    done = subprocess.run([linter, str(_IMAGES / f"{name}.Containerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_image_is_not_built_on_a_base_that_may_change() -> None:
    environment = {**os.environ, "PYTHON_IMAGE": "docker.io/library/python:3.11-slim-bookworm"}
    done = subprocess.run([str(_IMAGES / "build.sh")], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "with its digest" in done.stderr


def test_a_base_of_an_unknown_name_is_refused() -> None:
    environment = {**os.environ, "BASE": "alpine"}
    done = subprocess.run([str(_IMAGES / "build.sh")], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "BASE is debian or nothing, and not alpine\n")
