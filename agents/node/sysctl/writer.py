"""Sets the conntrack settings that the agent lives on, in the network namespace that this thread is in."""

from pathlib import Path
from typing import Final

from agents.node.capability.record import Capability

_DIRECTORY: Final = Path("/proc/sys/net/netfilter")
_WANTED: Final = {
    "accounting": "nf_conntrack_acct",
    "timestamps": "nf_conntrack_timestamp",
    # By default (2) a connection made while nobody listens never announces its end, not even after a restart.
    "event_delivery": "nf_conntrack_events",
}


def enable_conntrack() -> list[Capability]:
    """Set each to 1 unless it is; report what could not be set."""
    return [_enable(name, _DIRECTORY / file) for name, file in _WANTED.items()]


def _enable(name: str, path: Path) -> Capability:
    try:
        if path.read_text(encoding="ascii").strip() == "1":
            return Capability(name, "ok")
        path.write_text("1", encoding="ascii")
    except FileNotFoundError:
        return Capability(name, "missing", f"{path} does not exist: nf_conntrack is not loaded")
    except OSError as error:
        return Capability(name, "degraded" if name == "event_delivery" else "missing", f"{path}: {error.strerror}")
    return Capability(name, "ok")
