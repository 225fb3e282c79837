"""Whatever kills the lab, the next command leaves nothing of it."""

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conntrail.errors import CommandError
from conntrail.lab.main import Lab
from conntrail.lab.state import Layout, parse_state
from tests.support.lab import command, namespaces_left, programs_left, result_of, running_lab
from tests.support.waiting import until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.timeout(400),
]


def names(directory: Path) -> set[str]:
    path = Layout(directory).state_path
    return set(parse_state(path.read_text()).names) if path.exists() else set()


def is_complete(directory: Path) -> bool:
    path = Layout(directory).state_path
    return path.exists() and parse_state(path.read_text()).is_complete


@pytest.mark.parametrize("made", [1, 6, 12])
def test_killed_while_it_is_built_then_taken_down(tmp_path: Path, made: int) -> None:
    building = command(tmp_path, "up")
    try:
        until(lambda: len(namespaces_left(names(tmp_path))) >= made, pause_seconds=0.002)
    finally:
        building.kill()
        building.communicate()
    every = names(tmp_path)
    assert namespaces_left(every)
    Lab(tmp_path).down()
    assert not namespaces_left(every)
    assert not programs_left(tmp_path)
    assert not tmp_path.exists()


def test_killed_while_it_is_built_then_built_again(tmp_path: Path) -> None:
    building = command(tmp_path, "up")
    try:
        until(lambda: len(namespaces_left(names(tmp_path))) >= 5, pause_seconds=0.002)
    finally:
        building.kill()
        building.communicate()
    with running_lab(tmp_path) as lab:
        assert lab.execute("shop/frontend", ["true"]) == 0


def test_killed_while_a_short_pod_lives_then_traffic_runs_again(tmp_path: Path) -> None:
    with running_lab(tmp_path) as lab:
        of_pods = names(tmp_path)
        traffic = command(tmp_path, "traffic", "--duration", "20")
        try:
            until(lambda: bool(namespaces_left(names(tmp_path) - of_pods)), pause_seconds=0.002)
        finally:
            os.kill(traffic.pid, signal.SIGKILL)
            traffic.communicate()
        short = names(tmp_path) - of_pods
        lab.traffic(2)
        assert not namespaces_left(short)
        every = names(tmp_path)
    assert not namespaces_left(every | short)
    assert not programs_left(tmp_path)


def test_what_was_under_way_when_a_builder_was_killed_is_over_before_anything_else_is_done(tmp_path: Path) -> None:
    mark, end = tmp_path / "under-way", tmp_path / "end"
    script = f"""
from pathlib import Path
from conntrail.lab.network.writer import _run
from conntrail.lab.state import Layout
from conntrail.lab.store.writer import Store
with Store(Layout(Path({str(tmp_path / "lab")!r}))).building():
    _run("sh", "-c", "touch {mark}; until [ -e {end} ]; do sleep 0.02; done; rm {mark}")
"""
    building = subprocess.Popen([sys.executable, "-c", script])
    with ThreadPoolExecutor(1) as threads:
        try:
            until(mark.exists)
            building.kill()
            down = threads.submit(Lab(tmp_path / "lab").down)
            with pytest.raises(TimeoutError):
                down.result(1)
            assert mark.exists()
        finally:
            building.kill()
            building.communicate()
            end.touch()
        down.result()
    assert not mark.exists()


def test_a_lab_whose_process_was_killed_makes_way_for_the_next(tmp_path: Path) -> None:
    building = f"Lab(Path({str(tmp_path / 'killed')!r}), is_tied=True).up()"
    script = f"from pathlib import Path; from conntrail.lab.main import Lab; {building}; input()"
    tied = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    try:
        until(lambda: is_complete(tmp_path / "killed"))
        with pytest.raises(CommandError, match=r"lab down --state-dir .*killed"):
            Lab(tmp_path / "next").up()
    finally:
        tied.kill()
        tied.communicate()
    with running_lab(tmp_path / "next") as lab:
        assert lab.execute("shop/frontend", ["true"]) == 0
        assert not programs_left(tmp_path / "killed")


def test_a_lab_whose_directory_is_gone_is_taken_down(tmp_path: Path) -> None:
    lost = Lab(tmp_path / "lost")
    lost.up()
    every = names(tmp_path / "lost")
    shutil.rmtree(tmp_path / "lost")
    Lab(tmp_path / "other").down()
    assert every
    assert not namespaces_left(every)


def test_without_a_lab_commands_say_what_to_do(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "none")
    lab.down()
    with pytest.raises(CommandError, match="conntrail lab up"):
        lab.traffic(1)
    with pytest.raises(CommandError, match="conntrail lab up"):
        lab.status()


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("kind: Deployment\nmetadata: {name: a, namespace: b}\n", "a.yaml: object 1: apiVersion is missing"),
        (None, "there is no such file or directory"),
        ("", "holds no Kubernetes objects"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n\tname: a\n", r"a.yaml: line 4: a tab, where YAML wants spaces"),
        (
            "{apiVersion: v1, kind: Node, metadata: {name: conntrail-test}}",
            "conntrail-test is no lab's: end it with ip",
        ),
    ],
)
def test_manifests_that_cannot_be_built_leave_nothing(tmp_path: Path, manifest: str | None, message: str) -> None:
    path = tmp_path / "given"
    if manifest is not None:
        path.mkdir()
        (path / "a.yaml").write_text(manifest)
    subprocess.run(["ip", "netns", "add", "conntrail-test"], check=True)
    try:
        code, out, error = result_of(command(tmp_path / "lab", "up", "--manifests", str(path)))
    finally:
        subprocess.run(["ip", "netns", "del", "conntrail-test"], check=True)
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert message in error
    assert not (tmp_path / "lab").exists()
    with pytest.raises(CommandError, match="no lab is there"):
        Lab(tmp_path / "lab").status()
