"""Conntrack dump and decode to columns, against the C program that prints the same table."""

import os
import resource
import statistics
import subprocess
import time
from typing import Any

from agents.node.conntrack.reader import ConntrackReader
from agents.node.conntrack.table import ConnectionTable
from tests.support.conntrack_load import load, tracking_namespace

ENTRIES = 20_000
RUNS = 9
NAME = f"ctbench{os.getpid()}"


def run() -> list[dict[str, Any]]:
    """CPU time of both, in turn, so that the machine's moods meet both alike."""
    with tracking_namespace(NAME) as path:
        load(NAME, ENTRIES)
        reader = ConntrackReader(path, 1 << 22)
        table = ConnectionTable(1, 1 << 20)
        reader.start()
        poll(reader, table)
        dumps, polls, theirs = [], [], []
        for _ in range(RUNS):
            dumps.append(cpu_of(reader.dump))
            polls.append(cpu_of(lambda: poll(reader, table)))
            theirs.append(cpu_of_program("ip", "netns", "exec", NAME, "conntrack", "-L"))
        reader.close()
    reference = statistics.median(theirs)
    return [
        figure("conntrack.dump", statistics.median(dumps), reference, "dump and decode"),
        figure("conntrack.poll", statistics.median(polls), reference, "dump, decode and deltas"),
    ]


def poll(reader: ConntrackReader, table: ConnectionTable) -> None:
    """What the agent does once an interval."""
    now = time.time_ns()
    table.apply_dump(reader.dump().entries, now)
    table.take_report(now)


def cpu_of(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def cpu_of_program(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figure(name: str, ours: float, theirs: float, what: str) -> dict[str, Any]:
    ratio = ours / theirs
    return {
        "name": name,
        "value": ours / ENTRIES * 1e6,
        "unit": f"µs an entry ({what})",
        "ratio": ratio,
        "against": "conntrack -L",
        "aim": "at most 1",
        "holds": ratio <= 1,
    }
