import os
import signal
import subprocess
import sys
from pathlib import Path

from conntrail.local.process.reader import identify
from tests.support.waiting import until

SCRIPT = """
import subprocess, sys
from conntrail.process.writer import Tie
tie = Tie()
child = tie.start(["sleep", "600"], subprocess.Popen)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_what_is_tied_ends_with_the_process_that_started_it_even_when_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        tied = int(starter.stdout.readline())
        until(lambda: Path(f"/proc/{tied}/comm").read_text() == "sleep\n")  # it has tied itself by then
        identity = identify(tied)
        assert identity is not None
        os.kill(starter.pid, signal.SIGKILL)
    until(lambda: identify(tied) != identity)
