"""Starts programs that end with this process."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

Launch = Callable[[Sequence[str]], "subprocess.Popen[bytes]"]


class Tie:
    """What is started by it gets SIGTERM when this process dies, even of SIGKILL, where setpriv is installed."""

    def __init__(self) -> None:
        # The kernel sends the signal when the thread that started the program ends (prctl(2), PR_SET_PDEATHSIG), so
        # one thread starts them all and lives as long as this object.
        self._starter = ThreadPoolExecutor(1, "start")

    def start(self, command: Sequence[str], launch: Launch) -> "subprocess.Popen[bytes]":
        """Call ``launch`` with the command that ties itself."""
        setpriv = shutil.which("setpriv")
        tie = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        return self._starter.submit(launch, [*tie, *command]).result()
