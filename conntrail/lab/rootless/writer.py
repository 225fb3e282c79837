"""Starts and ends the process that holds a user's lab, and runs commands in there."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

from conntrail.errors import CommandError
from conntrail.lab.rootless.holder import READY
from conntrail.lab.rootless.reader import find_holder, forbidding_settings, user_name
from conntrail.lab.rootless.refusal import refusal

_UNSHARE: Final = (
    *("unshare", "--user", "--map-root-user", "--net", "--mount"),
    *("--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"),
)
_HOLDER: Final = "conntrail.lab.rootless.main"
_PATIENCE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.02


def start_holder() -> int:
    """Process number of the holder, an older one's when there is one.

    Raises CommandError when the kernel allows this user no namespaces.
    """
    with _alone():
        return find_holder() or _start()


def end_holder(pid: int) -> None:
    """End it and all that lives in there. Raises CommandError when it does not end."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while find_holder() == pid:
        if time.monotonic() > deadline:
            raise CommandError(f"process {pid}, which holds the lab, does not end")
        time.sleep(_LOOK_SECONDS)


def run_inside(pid: int, command: list[str], *, is_privileged: bool = True) -> int:
    """Run a command where the lab is; its exit status.

    Not ``is_privileged``: as the user and without rights over the lab, in the same network.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = subprocess.Popen(_entering(pid, command, is_privileged), env=_environment())
    try:
        while True:
            # An interrupt from the terminal reaches the command too, which ends in its own way.
            with suppress(KeyboardInterrupt):
                code = started.wait()
                return 128 - code if code < 0 else code
    finally:
        started.terminate()


def become_inside(pid: int, command: list[str], *, is_privileged: bool = True) -> NoReturn:
    """Go on as a command where the lab is."""
    words = _entering(pid, command, is_privileged)
    os.execvpe(words[0], words, _environment())  # noqa: S606 - no shell is wanted


def _start() -> int:
    started = subprocess.Popen(
        [*_UNSHARE, sys.executable, "-m", _HOLDER],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=_environment(),
    )
    assert started.stdout is not None
    if started.stdout.readline() == READY and (found := find_holder()) is not None:
        return found
    started.kill()
    raise CommandError(refusal(forbidding_settings(), started.communicate()[1].decode(errors="replace")))


def _entering(pid: int, command: list[str], is_privileged: bool) -> list[str]:
    """The command ends when what started it does, and stays in its directory, which a mount namespace leaves."""
    entering = ["nsenter", f"--target={pid}", "--user", "--net", "--mount", "--pid", "--preserve-credentials", "--"]
    own = [] if is_privileged else ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
    return [*entering, *own, "setpriv", "--pdeathsig=TERM", "env", f"--chdir={Path.cwd()}", *command]


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time of this user's commands starts a holder; the kernel lets go when a process ends."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with socket.socket(socket.AF_UNIX) as lock:
        while True:
            try:
                lock.bind(f"\0conntrail-lab-{os.geteuid()}")  # unix(7), abstract: leaves no file
            except OSError as error:
                if time.monotonic() > deadline:
                    raise CommandError("another command starts a lab for long: end it") from error
                time.sleep(_LOOK_SECONDS)
            else:
                yield
                return


def _environment() -> dict[str, str]:
    """Where ip and nft are is not in every user's PATH; who is root inside is still called by their own name."""
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, "PATH": f"{path}:/usr/sbin:/sbin", "LOGNAME": user_name()}
