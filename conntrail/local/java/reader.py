"""Finds a Java that can run Kafka and Elasticsearch."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.local.java.version import MINIMUM, candidates, major_version

_PATIENCE_SECONDS = 30.0
PLACES = ("/usr/lib/jvm", "/opt/java", "/opt", "/Library/Java/JavaVirtualMachines")


def find_java(places: Sequence[str] = PLACES) -> Path:
    """Path of ``java`` 17 or newer: JAVA_HOME's, the PATH's, or one below ``places``.

    Raises CommandError, naming the package, when there is none.
    """
    installed = [str(found) for place in places for found in Path(place).glob("*/bin/java")]
    too_old = ""
    for program in candidates(os.environ.get("JAVA_HOME", ""), shutil.which("java"), installed):
        version = _version(program)
        if version is not None and version >= MINIMUM:
            return Path(program).resolve()
        if version is not None:
            too_old = f" ({program} is Java {version})"
    raise CommandError(
        f"Java {MINIMUM} or newer is needed{too_old}: install the package openjdk-17-jre-headless, or set JAVA_HOME"
    )


def _version(program: str) -> int | None:
    try:
        answer = subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return major_version(answer.stderr + answer.stdout)
