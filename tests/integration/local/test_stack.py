"""``conntrail local`` as people run it: real servers, real processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from conntrail.local.process.program import ProcessIdentity
from conntrail.local.process.reader import identify, is_running
from conntrail.local.process.writer import ProcessWriter
from conntrail.local.state.layout import Layout
from conntrail.local.state.reader import read_state
from conntrail.local.state.state import ServiceState, StackState
from conntrail.local.state.writer import write_state
from tests.support.index import ask

pytestmark = pytest.mark.stack
_NO_HOME = """
import os, pwd
del os.environ["HOME"]
def unknown(_number):
    raise KeyError
pwd.getpwuid = unknown
from conntrail.__main__ import main
main()
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A data directory that the user whom Elasticsearch runs as may enter; its stack is stopped at the end."""
    parent = Path(tempfile.mkdtemp(prefix="conntrail-local-"))
    parent.chmod(0o755)
    yield parent / "data"
    _local("down", "--wipe", "--data-dir", str(parent / "data"))
    shutil.rmtree(parent)


def _local(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conntrail", "local", *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def _status(directory: Path) -> dict[str, dict[str, object]]:
    answer = _local("status", "-o", "json", "--data-dir", str(directory))
    return {service["service"]: service for service in json.loads(answer.stdout)}


def _written(leader: int, directory: Path) -> set[str]:
    """Files outside the directory that a server's processes hold open for writing, or that Java keeps for itself."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) != leader:
                continue
            opened = {str(entry.readlink()): entry.name for entry in (process / "fd").iterdir()}
            flags = {path: (process / "fdinfo" / name).read_text().split()[3] for path, name in opened.items()}
        except OSError:
            continue  # it ended, or closed the file
        found |= {path for path, flag in flags.items() if path.startswith("/") and int(flag, 8) & os.O_ACCMODE}
        found |= {str(path) for path in Path(tempfile.gettempdir()).glob(f"hsperfdata_*/{process.name}")}
    named = {path for path in found if not path.endswith(" (deleted)")}  # what has no name leaves nothing behind
    return {path for path in named if not path.startswith(("/dev/", "/proc/", f"{directory}/"))}


def test_data_and_ports_survive_down_and_up_and_a_wipe_removes_all(directory: Path) -> None:
    up = _local("up", "--data-dir", str(directory))
    assert up.returncode == 0, up.stderr
    first = _status(directory)
    assert {service["state"] for service in first.values()} == {"up"}
    assert {path for service in first.values() for path in _written(int(str(service["pid"])), directory)} == set()
    exports = _local("env", "--data-dir", str(directory)).stdout
    assert f"export CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS={first['kafka']['address']}" in exports.splitlines()
    host = str(first["elasticsearch"]["address"])
    ask(host, "PUT", "kept/_doc/1?refresh=true", {"a": 1})
    client = AdminClient({"bootstrap.servers": first["kafka"]["address"], "log_level": 0})
    client.create_topics([NewTopic("kept", num_partitions=2, replication_factor=1)])["kept"].result()

    assert _local("down", "--data-dir", str(directory)).returncode == 0
    assert _local("status", "--data-dir", str(directory)).returncode == 1
    assert _local("up", "--data-dir", str(directory)).returncode == 0

    second = _status(directory)
    assert {name: service["address"] for name, service in second.items()} == {
        name: service["address"] for name, service in first.items()
    }
    assert ask(host, "GET", "kept/_doc/1")["_source"] == {"a": 1}
    topics = client.list_topics(timeout=15).topics
    assert len(topics["kept"].partitions) == 2

    again = _local("up", "--data-dir", str(directory))
    assert again.returncode == 0
    assert {name: service["pid"] for name, service in _status(directory).items()} == {
        name: service["pid"] for name, service in second.items()
    }
    assert "started" in _local("logs", "kafka", "-n", "200", "--data-dir", str(directory)).stdout.lower()

    assert _local("down", "--wipe", "--data-dir", str(directory)).returncode == 0
    assert not directory.exists()


def test_a_port_that_is_taken_is_one_line(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        answer = _local("up", "--data-dir", str(directory), "--kafka-port", port)
    assert answer.returncode == 1
    assert f"port {port} is taken" in answer.stderr


def test_one_port_for_both_is_one_line(directory: Path) -> None:
    answer = _local("up", "--data-dir", str(directory), "--kafka-port", "23456", "--elasticsearch-port", "23456")
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].endswith("port 23456 is given to both: choose another --elasticsearch-port")


def test_a_user_without_a_home_is_told_what_to_set(directory: Path) -> None:
    command = [sys.executable, "-c", _NO_HOME, "local", "up", "--data-dir", str(directory)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr == "conntrail: this user has no home: set HOME to a directory for data and downloads\n"


def test_a_directory_of_any_letters_will_do_whatever_the_locale(directory: Path) -> None:
    place = directory.parent / "with space" / "d é"
    place.parent.mkdir(mode=0o755)
    up = _local("up", "--data-dir", str(place), LC_ALL="C")
    try:
        assert up.returncode == 0, up.stderr
        assert f"--data-dir '{place}'" in up.stdout
    finally:
        _local("down", "--wipe", "--data-dir", str(place))
    assert not place.exists()


def test_a_server_that_dies_at_start_shows_its_last_lines_and_leaves_nothing_running(directory: Path) -> None:
    layout = Layout(directory)
    directory.mkdir(mode=0o755)
    write_state(layout, StackState(ServiceState(0, 0), ServiceState(0, 0), "none"))
    broken = layout.data("kafka")
    broken.mkdir(parents=True)
    (broken / "meta.properties").write_text("version=1\ncluster.id=another\nnode.id=9\n")
    answer = _local("up", "--data-dir", str(directory))
    assert answer.returncode == 1
    assert "kafka ended while starting" in answer.stderr
    assert "node id" in answer.stderr
    state = read_state(layout)
    assert state is not None
    assert (state.kafka.process, state.elasticsearch.process) == (None, None)


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    for arguments in (("up",), ("down", "--wipe")):
        _local(*arguments, "--data-dir", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    answer = _local("up", "--data-dir", str(tmp_path))
    assert answer.returncode == 1
    assert "holds other files" in answer.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Elasticsearch as another user")
def test_a_directory_that_the_other_user_may_not_enter_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    answer = _local("up", "--data-dir", str(tmp_path / "data"))
    assert answer.returncode == 1
    assert "may not enter" in answer.stderr
    assert "--data-dir" in answer.stderr


def test_without_java_the_line_names_the_package(tmp_path: Path) -> None:
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    fake.chmod(0o755)
    script = f"from conntrail.local.java.reader import find_java; find_java([{str(tmp_path)!r}])"
    answer = subprocess.run(
        [sys.executable, "-c", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert "openjdk-17-jre-headless" in answer.stderr
    assert "is Java 11" in answer.stderr


def test_a_process_that_took_over_a_number_is_never_ended() -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        real = identify(other.pid)
        assert real is not None
        earlier = ProcessIdentity(other.pid, real.boot, real.start_ticks - 1)
        before_boot = ProcessIdentity(other.pid, "another-boot", real.start_ticks)
        writer = ProcessWriter(identify, is_tied=False)
        for gone in (earlier, before_boot):
            writer.stop(gone, 1.0)
            writer.kill(gone)
        assert is_running(real)
        other.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_up_that_is_interrupted_leaves_nothing_that_down_does_not_find(directory: Path, number: int) -> None:
    command = [sys.executable, "-m", "conntrail", "local", "up", "--data-dir", str(directory)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as up:
        layout = Layout(directory)
        processes = _until_started(layout)
        up.send_signal(number)
        _, errors = up.communicate()
    assert up.returncode != 0
    if number != signal.SIGKILL:
        assert "interrupted" in errors
        assert not any(is_running(process) for process in processes)
    assert _local("down", "--data-dir", str(directory)).returncode == 0
    assert not any(is_running(process) for process in processes)


def _until_started(layout: Layout) -> list[ProcessIdentity]:
    """Both processes, as soon as the state names them."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = read_state(layout)
        if state is not None and state.kafka.process and state.elasticsearch.process:
            return [state.kafka.process, state.elasticsearch.process]
        time.sleep(0.01)
    raise AssertionError("not started in time")
