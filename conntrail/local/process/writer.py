"""Starts and ends programs that outlive the command that started them."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial

from conntrail.errors import CommandError
from conntrail.local.process.program import ProcessIdentity, Program
from conntrail.process.writer import Tie

_POLL_SECONDS = 0.05
_KILL_SECONDS = 10.0
Identify = Callable[[int], ProcessIdentity | None]


class ProcessWriter:
    """Runs programs in sessions of their own, so that Ctrl-C on the terminal does not reach them."""

    def __init__(self, identify: Identify, is_tied: bool) -> None:
        """``is_tied``: what is started gets SIGTERM when this process dies, even of SIGKILL."""
        self._identify = identify
        self._tie = Tie() if is_tied else None
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, program: Program) -> ProcessIdentity:
        """Start it. Raises CommandError when it cannot be started or ends at once."""
        launch = partial(_launch, program)
        child = self._tie.start(program.command, launch) if self._tie else launch(program.command)
        self._children[child.pid] = child
        identity = self._identify(child.pid)
        if identity is None:
            raise CommandError(f"{program.name} ended at once; see {program.log}")
        return identity

    def stop(self, identity: ProcessIdentity, patience_seconds: float) -> None:
        """End it: asked first, killed with its whole session after the patience."""
        self._signal(identity, signal.SIGTERM)
        if not self._wait(identity, patience_seconds):
            self.kill(identity)

    def kill(self, identity: ProcessIdentity) -> None:
        """End it and its children without asking. Raises CommandError when the kernel does not let it go."""
        if self.is_running(identity):
            # It leads its own session and group, so the group's number is its own.
            os.killpg(identity.pid, signal.SIGKILL)
        if not self._wait(identity, _KILL_SECONDS):
            raise CommandError(f"process {identity.pid} does not end; look at it with: ps {identity.pid}")

    def is_running(self, identity: ProcessIdentity) -> bool:
        """Whether that very process lives; one of ours that ended is reaped."""
        child = self._children.get(identity.pid)
        if child is not None and child.poll() is not None:
            del self._children[identity.pid]
        return self._identify(identity.pid) == identity

    def _signal(self, identity: ProcessIdentity, number: signal.Signals) -> None:
        if self.is_running(identity):
            try:
                os.kill(identity.pid, number)
            except ProcessLookupError:
                return
            except PermissionError as error:
                raise CommandError(f"process {identity.pid} belongs to another user: stop it as that user") from error

    def _wait(self, identity: ProcessIdentity, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_running(identity):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


def _launch(program: Program, command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        credentials = {"user": program.user, "extra_groups": [], "group": _group(program.user)} if program.user else {}
        with program.log.open("ab") as log:
            child: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=program.directory,
                env={"PATH": os.environ.get("PATH", os.defpath), **program.environment},
                start_new_session=True,
                **credentials,  # type: ignore[call-overload]
            )
            return child
    except (OSError, KeyError, subprocess.SubprocessError) as error:
        who = f" as the user {program.user}" if program.user else ""
        raise CommandError(f"{program.name} cannot be started{who}: {error}") from error


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
