"""Somebody asks for 20,000 random names a second: flows stay whole, memory bounded, and what is left out is counted."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.node.namespace.reader import entered
from tests.kernel.agent.network import DENIED_PORT, SERVER, is_root
from tests.kernel.agent.process import read
from tests.kernel.agent.scene import PARTITIONS, Scene, exchange
from tests.support.waiting import until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.stack,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
]
_DNS_PORT = 53
_RATE, _SECONDS = 20_000, 6
_SHOWN_PER_SECOND = 2_000
"""CONNTRAIL_AGENT__DNS_PER_SECOND, by default."""
_MOST_MEMORY_BYTES = 128 << 20
"""What an agent may take while it is flooded: its limit in the cluster."""
_DENIED_TRIES = 3
_PAUSE_SECONDS = 0.01
"""Fewer connections than the limit of first packets, which is not what this is about."""


@pytest.fixture
def silent_server(scene: Scene) -> Iterator[None]:
    """Takes every query and answers none."""
    with entered(scene.network.path(scene.network.server)):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((SERVER, _DNS_PORT))
    with server:
        yield


@pytest.mark.usefixtures("silent_server")
def test_a_flood_of_random_names_starves_no_flow_and_its_excess_is_counted(scene: Scene) -> None:
    scene.agent.start()
    dialled = 0
    with entered(scene.network.path(scene.network.client)):
        flood = subprocess.Popen(
            [sys.executable, "-m", "tests.kernel.agent.flood", SERVER, str(_DNS_PORT), str(_RATE), str(_SECONDS)],
            stdout=subprocess.PIPE,
            text=True,
        )
    with scene.network.listening() as listener:
        while flood.poll() is None:
            client = scene.network.dial()
            server, _ = listener.accept()
            with client, server:
                exchange(client, server, 300, 3_000)
            dialled += 1
            time.sleep(_PAUSE_SECONDS)
            if dialled <= _DENIED_TRIES:
                with pytest.raises(TimeoutError):
                    scene.network.dial(SERVER, DENIED_PORT, timeout=0.2)
    sent = int(flood.communicate()[0])
    assert flood.returncode == 0
    memory_bytes = _peak_memory_bytes(scene.agent.pid)
    until(lambda: len({row["original_source_port"] for row in scene.published().between(DENIED_PORT)}) == _DENIED_TRIES)
    assert scene.agent.stop() == 0, scene.agent.log()

    flows = scene.published()
    assert len({row["connection_id"] for row in flows.between(80)}) == dialled
    assert flows.total(80) == scene.network.counters()
    assert [dict(batch.lost) for batch in flows.batches.values() if batch.coverage != "complete"] == []

    exchanges = read(scene.kafka, f"{scene.topic.removesuffix('flows.raw')}dns.raw", PARTITIONS)
    lost = {batch.sequence: batch.lost for batch in exchanges.batches.values()}
    cut = sum(found.get("dns_cut", 0) for found in lost.values())
    shown = sum(row["count"] for row in exchanges.rows)
    assert sum(found.get("dns_lost", 0) for found in lost.values()) == 0
    assert shown + cut == sent
    assert _SHOWN_PER_SECOND <= shown <= sent / 2
    nameless = [row for row in exchanges.rows if not row["name"]]
    assert sum(row["count"] for row in nameless) == sum(found.get("dns_overflow", 0) for found in lost.values())
    assert {row["response_code"] for row in exchanges.rows if row["name"]} == {"TIMEOUT"}
    assert memory_bytes < _MOST_MEMORY_BYTES


def _denied_tries(scene: Scene) -> int:
    return len({row["original_source_port"] for row in scene.published().between(DENIED_PORT)})


def _peak_memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
