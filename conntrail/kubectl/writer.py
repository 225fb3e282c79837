"""Keeps a port-forward of kubectl open while something is asked through it."""

import re
import select
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Final

from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.installation import Target
from conntrail.kubectl.words import Call
from conntrail.process.writer import Tie

_PATIENCE_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0
_MAXIMUM_WORDS: Final = 300
_PIECE_BYTES: Final = 4096
_OPEN: Final = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+)")


@contextmanager
def forwarded(call: Call, target: Target) -> Iterator[str]:
    """URL on this machine that leads to the target, on a free port. Raises KubectlError."""
    command = [
        *call.kubectl, "--namespace", target.namespace, "port-forward", "--address=127.0.0.1",
        target.name, f":{target.port}",
    ]  # fmt: skip
    tie = Tie()
    process = tie.start(command, _launch)
    try:
        yield f"{target.scheme}://127.0.0.1:{_await_port(process, target)}"
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _launch(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )


def _await_port(process: "subprocess.Popen[bytes]", target: Target) -> int:
    assert process.stdout is not None
    deadline = time.monotonic() + _PATIENCE_SECONDS
    told = b""
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([process.stdout], [], [], left)
        piece = process.stdout.read(_PIECE_BYTES) if ready else b""
        if not piece:
            break
        told += piece
        found = _OPEN.search(told)
        if found:
            # It tells of every connection, and would stop where nobody reads that.
            threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
            return int(found[1])
    reason = " ".join(told.decode(errors="replace").split())[:_MAXIMUM_WORDS]
    where = f"port-forward to {target.name} in {target.namespace}"
    raise KubectlError(f"{where}: {reason or f'not open within {_PATIENCE_SECONDS:.0f} s'}")


def _drain(told: IO[bytes]) -> None:
    with suppress(OSError, ValueError):  # closed as the process ended
        while told.read(_PIECE_BYTES):
            pass
