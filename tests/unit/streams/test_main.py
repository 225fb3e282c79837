"""A worker that cannot start on its machine says so in one line."""

import os
import subprocess
import sys
from pathlib import Path

from runtime.settings import KafkaSettings
from schemas.group import worker_group

_NO_TEMPORARY_DIRECTORY = """
import sys, tempfile
tempfile.tempdir = "/nowhere"
sys.argv = ["worker", "alerts", "--check"]
from streams.__main__ import main
main()
"""


def _start(*words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "CONNTRAIL_WORKER__ID": "tried", **settings}
    return subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_nothing_can_be_written_to() -> None:
    done = _start("-c", _NO_TEMPORARY_DIRECTORY)
    assert done.returncode == 1
    assert done.stderr.startswith("conntrail worker: no directory for temporary files, name one with TMPDIR: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_lock_of_its_name_cannot_be_had(tmp_path: Path) -> None:
    lock = tmp_path / f"{KafkaSettings().topic_prefix}{worker_group('tried')}.lock"
    lock.mkdir()
    done = _start("-m", "streams", "alerts", TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"conntrail worker: {lock}: ")
    assert "Traceback" not in done.stderr
