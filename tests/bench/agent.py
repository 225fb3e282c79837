"""What the node agent costs: memory and processor time with 20,000 tracked connections and 500 new ones a second.

Beside it, on the same traffic, the C tools that do the least of the same: ``conntrack -E`` and a ``conntrack -L``
at each interval, to nowhere: no deltas, no sockets, no attempts, no Kafka.
"""

import contextlib
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.integration.publish import topics
from tests.kernel.agent.network import SERVER, Network
from tests.kernel.agent.network import run as run_command
from tests.kernel.agent.process import AgentProcess
from tests.support.stack import running_stack

TRACKED = 20_000
NEW_PER_SECOND = 500
SECONDS = 25.0
INTERVAL_SECONDS = 10
MEMORY_MEBIBYTES = 90
PROCESSOR_PERCENT = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PORT = 8080


def run() -> list[dict[str, Any]]:
    with contextlib.ExitStack() as cleanup:
        directory = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        stack = cleanup.enter_context(running_stack())
        for name in ("flows.raw", "dns.raw", "l7.raw", "denials.raw"):
            topics.create(stack.kafka, f"bench.{name}", 6)
        network = Network(f"ctbench{os.getpid()}")
        network.remove()
        cleanup.callback(network.remove)
        network.build()
        # What has ended leaves soon, as if by a reset: the number of tracked connections is to stay what it is called.
        run_command(
            "ip", "netns", "exec", network.node, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_timeout_time_wait=10"
        )
        cleanup.enter_context(_serving(network))
        agent = AgentProcess(stack.kafka, network.path(network.node), directory, "bench.")
        cleanup.callback(agent.kill)
        agent.start(CONNTRAIL_AGENT__INTERVAL=f"{INTERVAL_SECONDS}s")
        _track(network, TRACKED)
        events = _start_listing(network, cleanup)
        cleanup.enter_context(_dialling(network))
        own, listed = _measure(agent, network, events)
        return _results(own, listed, agent)


def _track(network: Network, count: int) -> None:
    """Idle connections of many peers, as a busy node holds them."""
    choice = random.Random(1)
    lines = [
        f"-I -p tcp -s 10.1.{index >> 8 & 255}.{index & 255} "
        f"-d 10.200.{choice.randrange(256)}.{choice.randrange(1, 255)} "
        f"--sport {1024 + index} --dport {choice.choice((80, 443, 5432, 6379))} "
        "--state ESTABLISHED -u ASSURED,SEEN_REPLY -t 3600"
        for index in range(count)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".conntrack") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        run_command("ip", "netns", "exec", network.node, "conntrack", "-R", file.name)


@contextlib.contextmanager
def _serving(network: Network) -> Iterator[None]:
    """A server in a process of its own: it answers a line with a line."""
    program = (
        "import socket\n"
        f"listener = socket.create_server(('{SERVER}', {_PORT}), backlog=1024)\n"
        "while True:\n"
        "    peer, _ = listener.accept()\n"
        "    with peer:\n"
        "        peer.sendall(peer.recv(100))\n"
    )
    with _program(network.server, program):
        yield


@contextlib.contextmanager
def _dialling(network: Network) -> Iterator[None]:
    """A client in a process of its own, at an even pace."""
    program = (
        "import socket, time\n"
        "begun, count = time.monotonic(), 0\n"
        "while True:\n"
        "    with socket.socket() as peer:\n"
        f"        peer.connect(('{SERVER}', {_PORT}))\n"
        "        peer.sendall(b'hello')\n"
        "        peer.recv(100)\n"
        "    count += 1\n"
        f"    time.sleep(max(0, begun + count / {NEW_PER_SECOND} - time.monotonic()))\n"
    )
    with _program(network.client, program):
        yield


@contextlib.contextmanager
def _program(namespace: str, text: str) -> Iterator[None]:
    process = subprocess.Popen(["ip", "netns", "exec", namespace, "python3", "-c", text])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _start_listing(network: Network, cleanup: contextlib.ExitStack) -> int:
    """``conntrack -E`` in the node's namespace; its process id."""
    command = ["ip", "netns", "exec", network.node, "conntrack", "-E", "-e", "NEW,DESTROY", "-b", str(16 << 20)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cleanup.callback(process.wait)
    cleanup.callback(process.kill)
    return process.pid


def _measure(agent: AgentProcess, network: Network, events: int) -> tuple[float, float]:
    """Processor seconds of the agent and of the C tools over the same time."""
    stopping = threading.Event()
    dumps: list[float] = []

    def dump() -> None:
        while not stopping.wait(INTERVAL_SECONDS):
            before = os.times()
            with Path(os.devnull).open("w") as nowhere:
                subprocess.run(
                    ["ip", "netns", "exec", network.node, "conntrack", "-L"], stdout=nowhere, stderr=nowhere, check=True
                )
            after = os.times()
            dumps.append(after.children_user + after.children_system - before.children_user - before.children_system)

    time.sleep(INTERVAL_SECONDS)  # the first intervals hold the injected connections
    lister = threading.Thread(target=dump)
    lister.start()
    own, listed = _processor_seconds(agent.pid), _processor_seconds(events)
    time.sleep(SECONDS)
    own, listed = _processor_seconds(agent.pid) - own, _processor_seconds(events) - listed
    stopping.set()
    lister.join()
    return own, listed + sum(dumps)


def _results(own: float, listed: float, agent: AgentProcess) -> list[dict[str, Any]]:
    memory = _resident_mebibytes(agent.pid, "VmRSS")
    percent = 100 * own / SECONDS
    text = f"{TRACKED} tracked, {NEW_PER_SECOND} new a second"
    return [
        {
            "name": f"agent: resident memory, {text}",
            "value": round(memory, 1),
            "unit": "MiB",
            "ratio": round(memory / MEMORY_MEBIBYTES, 2),
            "against": f"{MEMORY_MEBIBYTES} MiB",
            "aim": f"below {MEMORY_MEBIBYTES} MiB",
            "holds": memory < MEMORY_MEBIBYTES,
        },
        {
            "name": f"agent: processor, {text}",
            "value": round(percent, 2),
            "unit": "% of a core",
            "ratio": round(own / listed, 2) if listed else None,
            "against": "conntrack -E and conntrack -L at each interval",
            "aim": f"below {PROCESSOR_PERCENT} % of a core",
            "holds": percent < PROCESSOR_PERCENT,
        },
    ]


def _processor_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mebibytes(process_id: int, name: str) -> float:
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)
