"""Starts and ends the processes of a plan, each logging to a file of its own."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from conntrail.errors import CommandError
from conntrail.process.writer import Tie
from conntrail.system.child import Child, Plan

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.1
_LOG_LINES = 5
_HTTP_OK = 200


class System:
    """The running processes of a plan; they end with this one."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._tie = Tie()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, progress: Callable[[str], None]) -> None:
        """Start everything at once and wait until all are ready. Raises CommandError when one ends early."""
        children = self._plan.children()
        for child in children:
            progress(f"starting {child.name}")
            self._launch(child)
        for child in children:
            self._await_ready(child.name)

    def start_child(self, child: Child) -> None:
        """Start one process and wait until it is ready."""
        self._launch(child)
        self._await_ready(child.name)

    def _launch(self, child: Child) -> None:
        address_file = self._address_file(child.name)
        address_file.unlink(missing_ok=True)
        settings = {**self._plan.settings, **child.settings, "HTTP__ADDRESS_FILE": str(address_file)}
        environment = {**os.environ, **{f"CONNTRAIL_{name}": value for name, value in settings.items()}}
        state = settings.get("AGENT__STATE_DIRECTORY")
        if state:
            Path(state).mkdir(parents=True, exist_ok=True)
        with self.log_of(child.name).open("ab") as log:
            command = [sys.executable, "-m", child.module, *child.arguments]
            self._running[child.name] = self._tie.start(command, partial(_launch, environment, log))

    def log_of(self, name: str) -> Path:
        """Where a process logs."""
        return self._plan.directory / f"{name}.log"

    def pid_of(self, name: str) -> int:
        """Process id of a running child."""
        return self._running[name].pid

    def metrics_of(self, name: str) -> str:
        """What a process says at /metrics."""
        address = self._address_file(name).read_text(encoding="utf-8").strip()
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=_STOP_SECONDS) as answer:
            body: bytes = answer.read()
        return body.decode()

    def kill(self, name: str) -> None:
        """End a process at once, as a crash would."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop_child(self, name: str) -> int:
        """End a process in order; return its exit status."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def stop(self) -> None:
        """End everything, the agents first, so that what they flush is still taken."""
        for name in sorted(self._running, key=lambda name: not name.startswith("agent-")):
            self.stop_child(name)

    def check(self) -> None:
        """Raise CommandError when a process ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise CommandError(f"{name} ended with status {process.returncode}: {self._last_lines(name)}")

    def _address_file(self, name: str) -> Path:
        return self._plan.directory / f"{name}.address"

    def _await_ready(self, name: str) -> None:
        address_file = self._address_file(name)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if _is_ready(address_file):
                return
            time.sleep(_LOOK_SECONDS)
        raise CommandError(f"{name} was not ready after {_START_SECONDS:.0f} s: {self._last_lines(name)}")

    def _last_lines(self, name: str) -> str:
        lines = self.log_of(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return " | ".join(lines[-_LOG_LINES:]) or "it logged nothing"


def _launch(environment: Mapping[str, str], log: IO[bytes], command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def _is_ready(address_file: Path) -> bool:
    try:
        address = address_file.read_text(encoding="utf-8").strip()
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=2) as answer:
            return bool(answer.status == _HTTP_OK)
    except (OSError, urllib.error.URLError, ValueError):
        return False
