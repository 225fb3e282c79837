"""Manifests: what kubectl prints, files that come, change, break and go, and hostile text."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from agents.cluster.inventory import Inventory
from agents.cluster.manifest.parse import ManifestError, parse_manifest
from agents.cluster.manifest.processor import ManifestSource
from agents.cluster.manifest.reader import ManifestReader, Manifests
from agents.cluster.metrics import ClusterMetrics


def _pod(name: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n"


def _read(reader: ManifestReader) -> Manifests:
    """What two looks show: a file that has just changed counts from the second on."""
    found = reader.read() or reader.read()
    assert found is not None
    return found


def _names(found: Manifests) -> list[str]:
    return [value["metadata"]["name"] for value in found.objects]


def test_lists_documents_and_typed_lists_are_taken_apart() -> None:
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {json.dumps({'kind': 'Pod', 'metadata': {'name': 'a'}})}\n"
    typed = "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: b}\n"
    found = parse_manifest(f"{listed}---\n{typed}---\n{_pod('c')}".encode())
    assert [(value["kind"], value["metadata"]["name"]) for value in found] == [
        ("Pod", "a"),
        ("Deployment", "b"),
        ("Pod", "c"),
    ]


def test_json_is_read_as_well() -> None:
    assert parse_manifest(b'{"kind": "Pod"}') == [{"kind": "Pod"}]


def test_a_broken_text_names_its_line() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(b"a: 1\n\tb: 2\n")
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b"- " * 200_000 + b"a",
        b"{" + b'"a":{' * 50_000,
        "\n".join(["a0: &a0 x", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]).encode(),
        b"\x00\xff\xfe",
        b"a: &a [*a]",
    ],
    ids=["deep flow", "deep block", "deep json", "aliases of aliases", "no text", "an alias of itself"],
)
def test_hostile_text_ends_in_an_error_or_in_bounds(data: bytes) -> None:
    try:
        found = parse_manifest(data)
    except ManifestError:
        return
    assert len(found) <= 1


def test_files_come_change_and_go(tmp_path: Path) -> None:
    reader = ManifestReader(str(tmp_path))
    assert _names(_read(reader)) == []
    (tmp_path / "a.yaml").write_text(_pod("a"))
    assert _names(_read(reader)) == ["a"]
    assert reader.read() is None
    (tmp_path / "a.yaml").write_text(_pod("longer"))
    assert _names(_read(reader)) == ["longer"]
    (tmp_path / "a.yaml").unlink()
    assert _names(_read(reader)) == []


def test_a_broken_file_keeps_what_it_said(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(_pod("a"))
    reader = ManifestReader(str(tmp_path))
    assert _names(_read(reader)) == ["a"]
    file.write_text("kind: [")
    assert _names(_read(reader)) == ["a"]
    assert reader.broken == 1


def test_hidden_folders_and_what_is_no_file_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "..version").mkdir()
    (tmp_path / "..version" / "a.yaml").write_text(_pod("a"))
    (tmp_path / "a.yaml").symlink_to(tmp_path / "..version" / "a.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert _names(_read(ManifestReader(str(tmp_path)))) == ["a"]


class Slow(ManifestReader):
    """Each of its looks takes long."""

    def __init__(self, directory: Path, delay: Callable[[], None]) -> None:
        super().__init__(str(directory))
        self._delay = delay

    def read(self) -> Manifests | None:
        self._delay()
        return super().read()


class Pauses(threading.Event):
    """Keeps how long it should have been waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return False


def be_descheduled() -> None:
    time.sleep(0.1)


def compute() -> None:
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass


def pause_after_looks(directory: Path, delay: Callable[[], None]) -> float:
    pauses = Pauses()
    source = ManifestSource(Slow(directory, delay), ClusterMetrics(CollectorRegistry()), pauses)
    inventory = Inventory("lab", 0)
    source.start(inventory)
    for _ in range(2):
        assert source.take(inventory) is None
    return pauses.seconds[-1]


def test_a_look_that_had_to_wait_for_the_processor_delays_the_next_one_no_more_than_any(tmp_path: Path) -> None:
    assert pause_after_looks(tmp_path, be_descheduled) < 1


def test_a_look_that_takes_the_processor_delays_the_next_one_by_a_second_at_most(tmp_path: Path) -> None:
    assert pause_after_looks(tmp_path, compute) == 1
