"""A lab of namespaces for tests; the directory is the test's, the namespaces are the machine's."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

from conntrail.lab.main import Lab

Fact = dict[str, Any]
_ROUND_SECONDS: Final = 16.0
"""A connection that is kept so long is reported several times."""
_MOST_RUNS: Final = 5


@contextmanager
def running_lab(directory: Path, manifests: Path | None = None) -> Iterator[Lab]:
    """A lab that is taken down whatever happens."""
    lab = Lab(directory, is_tied=True)
    try:
        lab.up(manifests)
        yield lab
    finally:
        lab.down()


def traffic_of(lab: Lab, seconds: float, rate: float = 0) -> list[Fact]:
    """Run traffic; only the connections of this run."""
    before = len(lab.truth())
    lab.traffic(seconds, rate=rate)
    return lab.truth()[before:]


def traffic_until(
    is_enough: Callable[[list[Fact]], bool], lab: Lab, seconds: float, facts: Sequence[Fact] = ()
) -> list[Fact]:
    """Run traffic again, after what was made before, until enough of it is there.

    How many pods come and go in one run depends on how soon the machine starts and ends them.
    """
    made = [*facts]
    for _ in range(_MOST_RUNS):
        if is_enough(made):
            break
        made += traffic_of(lab, seconds)
    return made


@contextmanager
def talking(lab: Lab) -> Iterator[None]:
    """Traffic in rounds until the body is done; the truth is whole then. Raises what the traffic raised."""
    is_over = Event()

    def talk() -> None:
        while not is_over.is_set():
            lab.traffic(_ROUND_SECONDS)

    with ThreadPoolExecutor(1) as threads:
        rounds = threads.submit(talk)
        try:
            yield
        finally:
            is_over.set()
        rounds.result()


def command(directory: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """``conntrail lab`` as a process of its own."""
    words = [sys.executable, "-m", "conntrail", "lab", name, "--state-dir", str(directory), *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def result_of(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Exit status, output and errors of a command, once it has ended."""
    out, error = process.communicate(timeout=120)
    return process.returncode, out.decode(), error.decode()


def namespaces_left(names: set[str]) -> set[str]:
    """Those of the named namespaces that exist."""
    path = Path("/run/netns")
    return names & {entry.name for entry in path.iterdir()} if path.is_dir() else set()


def programs_left(directory: Path) -> list[str]:
    """Command lines of programs whose log is in this directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "fd/2").readlink()).startswith(str(directory)):
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue  # it ended meanwhile
    return found
