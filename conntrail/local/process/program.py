"""A program to run, and how a running one is known again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

LOCALE: Mapping[str, str] = {"LC_ALL": "C.UTF-8"}
"""For Java, which names files by the locale's encoding, and in the C locale has no name for most letters."""

NO_COUNTERS = "-XX:-UsePerfData"
"""Keeps Java from writing its counters to the system's temporary directory, whatever java.io.tmpdir says."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    """Added to the PATH and nothing else: the caller's environment must not change what runs."""
    directory: Path
    log: Path
    """Standard output and standard error are appended here."""
    user: str = ""
    """Whom it runs as; empty means the caller."""


class ProcessIdentity(msgspec.Struct, frozen=True):
    """A process that cannot be mistaken for a later one of the same number."""

    pid: int
    boot: str
    """The kernel's boot id."""
    start_ticks: int
    """Start time in clock ticks since boot (proc_pid_stat(5), field 22)."""


def parse_stat(text: str) -> tuple[str, int]:
    """State letter and start time of ``/proc/PID/stat``.

    The command's name stands in parentheses and may hold spaces and parentheses itself, so count from the last one.
    """
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])
