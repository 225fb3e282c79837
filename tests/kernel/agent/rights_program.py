"""Tells what a process with few capabilities can see: the capability record, and what it truly finds."""

import json
import sys

from agents.node.capability.record import describe_all
from agents.node.probe.main import probe
from agents.node.process.reader import ProcessReader
from agents.node.socket.namespace.reader import find_namespaces
from agents.node.socket.namespace.sighting import Sightings
from runtime.settings import AgentSettings, LogSettings
from runtime.writer import configure_logs


def main(inode: int) -> None:
    """``inode``: of a socket, whose process is looked for."""
    configure_logs(LogSettings(level="error"))
    found = ProcessReader().look_up([inode])
    answer = {
        "record": describe_all(probe(AgentSettings())),
        "processes": {str(key): process.pid for key, process in found.items()},
        "namespaces": [seen.inode for seen in find_namespaces(Sightings(), 0.0)],
    }
    sys.stdout.write(json.dumps(answer))


main(int(sys.argv[1]))
