"""A machine that stands still for longer than clients have patience: an answer that comes right after it is one."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conntrail.lab.certificate.writer import make_key
from conntrail.lab.program.task import LISTENING, Order, Task
from conntrail.local.port.reader import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.kernel
HOST = "127.0.0.1"
STALL_SECONDS = 2
PROGRAM = "conntrail.lab.program"


@contextmanager
def serving(directory: Path, spec: str) -> Iterator[subprocess.Popen[bytes]]:
    zone, key = directory / "zone.json", directory / "tls.pem"
    zone.write_text("{}")
    make_key(key)
    words = [sys.executable, "-m", f"{PROGRAM}.server", "stalled", str(zone), str(key), spec]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == LISTENING
            yield server
        finally:
            server.kill()


def calling(truth: Path, task: Task) -> subprocess.Popen[bytes]:
    order = Order("shop", "web", "uid-1", "web", HOST, "::1", 0, str(truth), None, (task,), is_once=True)
    client = subprocess.Popen([sys.executable, "-m", f"{PROGRAM}.main"], stdin=subprocess.PIPE)
    assert client.stdin is not None
    client.stdin.write(json.dumps(order.document()).encode())
    client.stdin.close()
    return client


def is_asked(port: int) -> bool:
    """Whether something waits to be read by the server."""
    words = ["ss", "-Hantu", f"sport = :{port}"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    return any(state != "LISTEN" and waiting != "0" for _, state, waiting, *_ in map(str.split, listed))


def is_at_rest(client: subprocess.Popen[bytes]) -> bool:
    """Whether every thread waits, or has ended."""
    try:
        stats = [path.read_text() for path in Path(f"/proc/{client.pid}/task").glob("*/stat")]
    except OSError:
        return False  # a thread has just ended
    return all(stat.rpartition(")")[2].split()[0] in ("S", "Z") for stat in stats)


@pytest.mark.parametrize("kind", ["udp", "tcp", "http", "tls", "dns"])
def test_an_answer_that_comes_right_after_a_stall_is_an_answer(tmp_path: Path, kind: str) -> None:
    port, truth = free_port(set()), tmp_path / "truth.jsonl"
    task = Task(kind, HOST, port, 1, host="stalled", names=("lab.test.",) if kind == "dns" else ())
    with serving(tmp_path, f"{kind}:{port}") as server:
        server.send_signal(signal.SIGSTOP)
        with calling(truth, task) as client:
            until(lambda: is_asked(port) and is_at_rest(client))
            client.send_signal(signal.SIGSTOP)
            over_at = time.monotonic() + STALL_SECONDS
            until(lambda: time.monotonic() > over_at)
            client.send_signal(signal.SIGCONT)
            until(lambda: is_at_rest(client))
            server.send_signal(signal.SIGCONT)
    facts = [json.loads(line) for line in truth.read_text().splitlines()]
    assert [fact["outcome"] for fact in facts if fact["layer"] == "connection"] == ["answered"]
    assert [fact["code"] for fact in facts if fact["layer"] == "dns"] == ["NXDOMAIN"] * (2 * (kind == "dns"))
