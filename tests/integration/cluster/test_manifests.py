"""A directory of manifests, watched for real, into a real topic."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.kubernetes_agent import AgentProcess, ObjectsView, await_that, ended_agent, overlaps, running_agent
from tests.support.kubernetes_objects import pod


@pytest.fixture
def view(kafka: str, topic_prefix: str) -> Iterator[ObjectsView]:
    found = ObjectsView(kafka, topic_prefix)
    yield found
    found.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "manifests"
    made.mkdir()
    return made


@pytest.fixture
def settings(kafka: str, view: ObjectsView, directory: Path) -> dict[str, str]:
    return {
        "KAFKA__BOOTSTRAP_SERVERS": kafka,
        "KAFKA__TOPIC_PREFIX": view.prefix,
        "CLUSTER_AGENT__MANIFESTS": str(directory),
    }


@pytest.fixture
def agent(tmp_path: Path, settings: dict[str, str]) -> Iterator[AgentProcess]:
    with running_agent(tmp_path / "agent", {**settings, "CLUSTER_AGENT__TOMBSTONE_DELAY": "2s"}) as process:
        await_that(process.is_ready, "the agent is ready")
        yield process


def _write(directory: Path, *objects: dict[str, Any], name: str = "objects.yaml") -> None:
    """At once, as a careful writer does."""
    fresh = directory / "fresh"
    fresh.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}))
    fresh.replace(directory / name)


def _has(view: ObjectsView, *names: str) -> bool:
    return set(view.read().living()) == {f"Pod/default/{name}" for name in names}


@pytest.mark.usefixtures("agent")
def test_objects_follow_their_files(directory: Path, view: ObjectsView) -> None:
    _write(directory, pod("a"), pod("b"))
    await_that(lambda: _has(view, "a", "b"), "both are told")
    _write(directory, pod("b"))
    _write(directory, pod("c"), name="more.yml")
    await_that(lambda: _has(view, "b", "c"), "one is gone, one has come")
    (directory / "objects.yaml").unlink()
    await_that(lambda: _has(view, "c"), "the file's objects are gone")
    await_that(lambda: "Pod/default/a" in view.read().last and view.last["Pod/default/a"] is None, "a tombstone")


def test_a_broken_file_changes_nothing_and_is_counted(
    directory: Path, view: ObjectsView, agent: AgentProcess, tmp_path: Path
) -> None:
    _write(directory, pod("a"))
    await_that(lambda: _has(view, "a"), "it is told")
    (directory / "objects.yaml").write_text("kind: List\n\titems:\n")
    await_that(lambda: agent.figure("conntrail_cluster_agent_broken_manifests_total") == 1, "it is counted")
    assert _has(view, "a")
    assert "objects.yaml:2" in (tmp_path / "agent" / "log").read_text()


@pytest.mark.usefixtures("agent")
def test_an_address_that_passes_on_within_a_second_has_one_holder_at_a_time(directory: Path, view: ObjectsView) -> None:
    for number in range(5):
        _write(directory, pod(f"short-{number}", addresses=("10.0.0.1",)))
        await_that(lambda number=number: _has(view, f"short-{number}"), "the next one is told")
    assert overlaps(view.read()) == []


def test_a_restart_tells_what_vanished_meanwhile_and_nothing_else(
    directory: Path, view: ObjectsView, settings: dict[str, str], tmp_path: Path
) -> None:
    _write(directory, pod("stays", addresses=("10.0.0.1",)), pod("goes"))
    with running_agent(tmp_path / "first", settings) as first:
        await_that(lambda: _has(view, "stays", "goes"), "both are told")
        assert first.stop() == 0
    before = len(view.history)
    _write(directory, pod("stays", addresses=("10.0.0.1",)))
    with running_agent(tmp_path / "second", settings):
        await_that(lambda: _has(view, "stays"), "one is gone")
    assert [key for key, _ in view.read().history[before:]] == ["Pod/default/goes"]


def test_a_missing_topic_is_one_clear_line(kafka: str, directory: Path) -> None:
    settings = {"KAFKA__BOOTSTRAP_SERVERS": kafka, "KAFKA__TOPIC_PREFIX": "absent."}
    ended = ended_agent({**settings, "CLUSTER_AGENT__MANIFESTS": str(directory)})
    assert ended.returncode == 1
    assert "conntrail setup" in ended.stderr.splitlines()[-1]


def test_a_missing_directory_is_one_clear_line(settings: dict[str, str], tmp_path: Path) -> None:
    ended = ended_agent({**settings, "CLUSTER_AGENT__MANIFESTS": str(tmp_path / "absent")})
    assert ended.returncode == 1
    assert "--manifests" in ended.stderr.splitlines()[-1]
