"""What may follow the words typed so far: names of kubectl by kubectl, words of conntrail by its own completion."""

import os
import subprocess
import sys
from collections.abc import Sequence

from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.reader import Kubectl
from conntrail.kubectl.words import COMMANDS, parse_call

_PATIENCE_SECONDS = 10.0


def candidates(typed: Sequence[str]) -> list[str]:
    """``typed``: the words behind ``kubectl conntrail``, the last of them unfinished, perhaps empty."""
    before, unfinished = list(typed[:-1]), typed[-1] if typed else ""
    try:
        if before and before[-1] in ("-n", "--namespace", "--installation"):
            found = Kubectl(parse_call(before[:-1])).names("namespaces")
        elif before and before[-1] == "--context":
            found = Kubectl(parse_call(before[:-1])).contexts()
        elif not (words := parse_call(before).words):
            found = list(COMMANDS)
        else:
            found = _of_conntrail([*words, unfinished])
    except KubectlError:
        return []
    return [one for one in found if one.startswith(unfinished)]


def _of_conntrail(words: Sequence[str]) -> list[str]:
    """As a shell asks for it (typer's completion for bash)."""
    line = ["conntrail", *words]
    environment = {
        **os.environ,
        "_CONNTRAIL_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(line),
        "COMP_CWORD": str(len(line) - 1),
    }
    command = [sys.executable, "-m", "conntrail"]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split()
