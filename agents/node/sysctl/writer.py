"""Sets the conntrack settings that the agent lives on, in the network namespace that this thread is in."""

import os
from pathlib import Path
from typing import Final

from agents.node.capability.record import Capability

_WANTED: Final = {
    "accounting": "nf_conntrack_acct",
    "timestamps": "nf_conntrack_timestamp",
    # By default (2) a connection made while nobody listens never announces its end, not even after a restart.
    "event_delivery": "nf_conntrack_events",
}


def enable_conntrack(directory: str, *, is_trial: bool = False) -> list[Capability]:
    """Set each to 1 unless it is; report what could not be set. On trial nothing is set: what could be is ok.

    ``directory``: /proc/sys/net, or where it is mounted; it shows the settings of whichever network namespace reads it.
    """
    own = Path(directory) / "netfilter"
    return [_enable(name, own / file, is_trial) for name, file in _WANTED.items()]


def _enable(name: str, path: Path, is_trial: bool) -> Capability:
    try:
        if path.read_text(encoding="ascii").strip() == "1":
            return Capability(name, "ok")
        if is_trial:
            _try_to_open(path)
        else:
            path.write_text("1", encoding="ascii")
    except FileNotFoundError:
        return Capability(name, "missing", f"{path} does not exist: nf_conntrack is not loaded")
    except OSError as error:
        return Capability(name, "degraded" if name == "event_delivery" else "missing", f"{path}: {error.strerror}")
    return Capability(name, "ok")


def _try_to_open(path: Path) -> None:
    """For writing; opening alone changes nothing (proc_sys_open). Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC))
