"""The process that holds a user's lab: the first of its process namespace, so that its end is everybody's."""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from conntrail.lab.rootless.holder import NAME, READY

_PREPARING: Final = (
    ("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"),
    ("ip", "link", "set", "lo", "up"),
)


def main() -> None:
    """Prepare, say so on standard output, and wait for the end."""
    for command in _PREPARING:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{command[0]}: {done.stderr}")
    Path("/run/netns").mkdir()
    ctypes.CDLL(None).prctl(15, NAME.encode(), 0, 0, 0)  # PR_SET_NAME
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    os.chdir("/")
    os.write(1, READY)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    _reap()


def _reap() -> None:
    """Servers of the lab outlive the command that started them, and are this process's children then."""
    while True:
        signal.sigwait({signal.SIGCHLD})
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    main()
