"""Finds the processes that hold given sockets, by the links in /proc/PID/fd.

The search is a race against short processes and costs about 5 µs an open file, so those that were found lately are
asked first, and one search is bounded; what is not found is counted.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.errors import ReadError
from agents.node.capability.right import hindrance, lacking, parse_effective
from agents.node.process.entry import Process

_PREFIX: Final = "socket:["
_MAXIMUM_FILES: Final = 200_000
"""Files looked at in one search: about one second of processor time."""
_MAXIMUM_REMEMBERED: Final = 512
_MAXIMUM_NAME: Final = 64
_MAXIMUM_EXECUTABLE: Final = 1024


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why processes of others are not looked into; empty where they are."""

    namespaces: str
    """For the network namespaces that they are in."""
    files: str
    """For the sockets that they hold."""


def read_hindrance(procfs: str = "/proc") -> Hindrance:
    """By the rights of this process: who is refused one process is told nothing of all others. Raises ReadError."""
    if os.getpid() == 1:
        alone = "the agent is process 1 of a pid namespace of its own"
        return Hindrance(alone, alone)
    try:
        effective = parse_effective(Path(procfs, "self/status").read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError) as error:
        raise ReadError(f"{procfs}/self/status: {error}") from error
    return Hindrance(*(hindrance(lacking(effective, name)) for name in ("pod_namespaces", "processes")))


class ProcessReader:
    """Processes of the procfs at ``procfs``."""

    def __init__(self, procfs: str = "/proc") -> None:
        self._procfs = procfs
        self._recent: OrderedDict[int, None] = OrderedDict()
        self.missed = 0
        """Sockets whose process was not found, since the start."""

    def look_up(self, inodes: Iterable[int]) -> dict[int, Process]:
        """The processes that hold the sockets with these inodes; of several, any.

        Raises ReadError when procfs cannot be read at all.
        """
        wanted = {inode for inode in inodes if inode}
        found: dict[int, Process] = {}
        budget = _MAXIMUM_FILES
        for pid in self._pids() if wanted else ():
            held, looked_at = self._held(pid, wanted, budget)
            budget -= looked_at
            if held:
                process = self._describe(pid)
                if process is not None:
                    found.update(dict.fromkeys(held, process))
                    wanted -= held
                    self._remember(pid)
            if not wanted or budget <= 0:
                break
        self.missed += len(wanted)
        return found

    def _pids(self) -> Iterator[int]:
        """Those found lately, then all others, the youngest first: they opened the newest sockets."""
        recent = list(reversed(self._recent))
        yield from recent
        try:
            names = os.listdir(self._procfs)  # noqa: PTH208 - Path objects cost more than the call
        except OSError as error:
            raise ReadError(f"{self._procfs}: {error.strerror}; processes cannot be named") from error
        others = {int(name) for name in names if name.isdecimal()}
        for pid in recent:
            if pid not in others:
                self._recent.pop(pid, None)
        yield from sorted(others.difference(recent), reverse=True)

    def _held(self, pid: int, wanted: set[int], budget: int) -> tuple[set[int], int]:
        """Which of the wanted sockets this process holds, and how many files were looked at."""
        directory = f"{self._procfs}/{pid}/fd"
        held: set[int] = set()
        try:
            descriptors = os.listdir(directory)  # noqa: PTH208 - Path objects cost more than the call
        except OSError:  # gone, or another user's and no right to look
            return held, 1
        for descriptor in descriptors[:budget]:
            try:
                link = os.readlink(f"{directory}/{descriptor}")  # noqa: PTH115 - Path costs more than the call
            except OSError:
                continue
            if link.startswith(_PREFIX):
                number = link[len(_PREFIX) : -1]
                if number.isdecimal() and int(number) in wanted:
                    held.add(int(number))
        return held, len(descriptors) + 1

    def _describe(self, pid: int) -> Process | None:
        try:
            with Path(f"{self._procfs}/{pid}/comm").open(encoding="utf-8", errors="replace") as file:
                name = file.read(_MAXIMUM_NAME).rstrip("\n")
        except OSError:
            return None
        try:
            executable = str(Path(f"{self._procfs}/{pid}/exe").readlink()).removesuffix(" (deleted)")
        except OSError:
            executable = ""
        return Process(pid, name, executable[:_MAXIMUM_EXECUTABLE])

    def _remember(self, pid: int) -> None:
        self._recent[pid] = None
        self._recent.move_to_end(pid)
        if len(self._recent) > _MAXIMUM_REMEMBERED:
            self._recent.popitem(last=False)
