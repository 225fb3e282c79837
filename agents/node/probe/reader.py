"""Reads who uses log groups in the network namespace that this thread is in."""

import subprocess
from pathlib import Path
from typing import Final

from agents.node.attempt.ruleset import TABLE as ATTEMPTS
from agents.node.payload.ruleset import TABLE as PAYLOADS
from agents.node.probe.group import parse_held, parse_logged

_HELD: Final = Path("/proc/thread-self/net/netfilter/nfnetlink_log")
_PATIENCE_SECONDS: Final = 20.0


def read_held_groups() -> frozenset[int]:
    """None where the kernel does not tell: binding a group then tells what is wrong."""
    try:
        return parse_held(_HELD.read_text(encoding="ascii"))
    except OSError:
        return frozenset()


def read_own_groups() -> frozenset[int]:
    """Groups that the tables of a running agent log to; none where there are no such tables, or no right to look."""
    return parse_logged("".join(_table(name) for name in (ATTEMPTS, PAYLOADS)))


def _table(name: str) -> str:
    command = ["nft", "--terse", "list", "table", "inet", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
