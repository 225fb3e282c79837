"""Starts the programs of pods, each in its pod's network namespace, by the interpreter that runs this one."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.network.writer import end_processes, processes_in
from conntrail.lab.program.task import LISTENING, Order
from conntrail.lab.state import Layout

_SERVER: Final = "conntrail.lab.program.server"
_CLIENT: Final = "conntrail.lab.program.main"
Process = subprocess.Popen[bytes]


class Programs:
    """Starts programs; what they complain of goes to one file."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._log_path = layout.log_path

    def serve(self, namespace: str, name: str, serve: str) -> Process | None:
        """Start a server. ``serve``: kind:port, comma between several; nothing starts when empty."""
        specs = [spec.strip() for spec in serve.split(",") if spec.strip()]
        known = [str(self._layout.zone_path), str(self._layout.key_path)]
        return self._start(namespace, [_SERVER, name, *known, *specs], None) if specs else None

    def is_serving(self, namespace: str, name: str) -> bool:
        """Whether the server of this name runs in a namespace."""
        return bool(_servers(namespace, name))

    def stop(self, namespace: str, name: str) -> bool:
        """Kill the server of this name in a namespace; whether there was one. Raises CommandError."""
        return end_processes(partial(_servers, namespace, name))

    def call(self, namespace: str, order: Order) -> Process:
        """Start a client."""
        return self._start(namespace, [_CLIENT], json.dumps(order.document()))

    def await_listening(self, servers: Iterable[Process | None], seconds: float) -> None:
        """Wait until servers can be called; None stands for none. Raises CommandError when one cannot in time."""
        deadline = time.monotonic() + seconds
        for server in servers:
            if server is None or server.stdout is None:
                continue
            with server.stdout as said:
                if not select.select([said], [], [], max(deadline - time.monotonic(), 0))[0]:
                    raise CommandError(f"a server in the lab does not start: see {self._log_path}")
                if said.readline() != LISTENING:
                    raise CommandError(f"a server in the lab failed: see {self._log_path}")

    def await_end(self, clients: list[Process], seconds: float) -> None:
        """Wait for clients; end those that take longer. Raises CommandError when one failed or was ended."""
        deadline = time.monotonic() + seconds
        try:
            for client in clients:
                client.wait(timeout=max(deadline - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"a client in the lab does not end: see {self._log_path}") from error
        finally:
            end(clients)
        if any(client.returncode for client in clients):
            raise CommandError(f"a client in the lab failed: see {self._log_path}")

    def _start(self, namespace: str, module: list[str], text: str | None) -> Process:
        with self._log_path.open("ab") as log:
            started = subprocess.Popen(
                ["ip", "netns", "exec", namespace, sys.executable, "-m", *module],
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE if text is None else log,
                stderr=log,
                start_new_session=True,
            )
        if text is not None and started.stdin is not None:
            started.stdin.write(text.encode())
            started.stdin.close()
        return started


def _servers(namespace: str, name: str) -> list[int]:
    """By their command line: pods on their node's network share its namespace, and clients are not meant."""
    return [pid for pid in processes_in(namespace) if _words(pid)[3:4] == [name] and _SERVER in _words(pid)[:3]]


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def end(processes: list[Process]) -> None:
    """End what still runs."""
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
