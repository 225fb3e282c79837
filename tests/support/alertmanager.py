"""A real Alertmanager (Debian's package), alone on loopback, with data of its own and without rights."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.user import UID
from tests.support.waiting import until

_CONFIGURATION = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


class Alertmanager:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def alerts(self) -> list[dict[str, Any]]:
        """Those that are active: what is over is not listed."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except OSError:
            return False


def program() -> str | None:
    """Path of the program; None when it is not installed."""
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


@contextmanager
def alertmanager() -> Iterator[Alertmanager]:
    path = program()
    assert path is not None
    home = Path(tempfile.mkdtemp(prefix="conntrail-alertmanager-"))
    (home / "config.yml").write_text(_CONFIGURATION)
    drop: tuple[str, ...] = ()
    if os.geteuid() == 0:
        os.chown(home, UID, UID)
        drop = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = (
        f"--config.file={home}/config.yml", f"--storage.path={home}/data",
        f"--web.listen-address={address}", "--cluster.listen-address=",
    )  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*drop, path, *options], stdout=log, stderr=log, cwd=home)
    running = Alertmanager(f"http://{address}")
    try:
        until(running.is_ready, (home / "log").read_text)
        yield running
    finally:
        process.terminate()
        process.wait(90)
        shutil.rmtree(home)
