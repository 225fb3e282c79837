"""A process as a flow names it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """A process that held a socket when it was looked for."""

    pid: int
    """In the pid namespace whose procfs was read: the node's own."""
    name: str
    """Command name, at most 15 bytes (proc(5), comm)."""
    executable: str
    """Path of the program as the process sees it; empty where it cannot be read."""
