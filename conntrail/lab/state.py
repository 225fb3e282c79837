"""What a lab has made, written down before it is made, so that whoever comes next can finish the clean-up."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from conntrail.lab.cluster import PodStatus
from conntrail.lab.job import Run

STATES: Final = Path("/run/conntrail/labs")
"""States of all labs of this machine: namespaces are the machine's, and end with it as this folder does."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a lab keeps its things."""

    root: Path

    @property
    def cluster_directory(self) -> Path:
        """Kubernetes objects as YAML; what is not YAML there is ignored."""
        return self.root / "cluster"

    @property
    def truth_path(self) -> Path:
        """One JSON line a connection, DNS question, HTTP request or TLS handshake."""
        return self.root / "truth.jsonl"

    @property
    def audit_path(self) -> Path:
        """Who changed the lab: an audit log, rotated beside it."""
        return self.root / "audit.log"

    @property
    def zone_path(self) -> Path:
        """What the lab's DNS servers know."""
        return self.root / "zone.json"

    @property
    def key_path(self) -> Path:
        """Key and certificate of the lab's TLS servers."""
        return self.root / "tls.pem"

    @property
    def state_path(self) -> Path:
        """Names of the namespaces, and what the lab was built from."""
        return STATES / f"{hashlib.sha256(bytes(self.root)).hexdigest()[:16]}.json"

    @property
    def manifests_path(self) -> Path:
        """The manifests that the lab goes by, as given and as changed since."""
        return self.root / "manifests.yaml"

    @property
    def log_path(self) -> Path:
        """What the programs in the pods complain of."""
        return self.root / "programs.log"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told from a later one of the same number by its start."""

    pid: int
    start_ticks: int
    """Clock ticks since the machine's start (proc(5), /proc/PID/stat, field 22)."""


@dataclass(frozen=True, slots=True)
class State:
    """Of one lab."""

    created_at: str = ""
    directory: str = ""
    owner: Owner | None = None
    """The process that the lab is tied to; None: it stays until it is taken down."""
    is_complete: bool = False
    """False while it is built: a lab that was killed then is removed by whoever comes next."""
    namespaces: dict[str, int] | None = None
    """Inode of each by name: another lab's namespace of the same name is not ours to remove. 0: perhaps not made."""
    runs: tuple[Run, ...] = ()
    """Of Jobs and CronJobs, whose pods are there now."""
    statuses: dict[str, PodStatus] = field(default_factory=dict)
    """Of pods by title, as far as anything has happened to them."""

    @property
    def names(self) -> dict[str, int]:
        """Namespaces that may be there."""
        return self.namespaces or {}

    def with_namespaces(self, names: Iterable[str]) -> "State":
        """Also these, about to be made."""
        return replace(self, namespaces={**self.names, **dict.fromkeys(names, 0)})


def format_state(state: State) -> str:
    """Text of the state file."""
    document: dict[str, Any] = {
        "created_at": state.created_at,
        "directory": state.directory,
        "owner": [state.owner.pid, state.owner.start_ticks] if state.owner else None,
        "is_complete": state.is_complete,
        "namespaces": state.names,
        "runs": [astuple(run) for run in state.runs],
        "statuses": {pod: astuple(status) for pod, status in state.statuses.items()},
    }
    return json.dumps(document, indent=2) + "\n"


def parse_state(text: str) -> State:
    """An empty state when the text is not one."""
    try:
        document = json.loads(text)
        return State(
            created_at=str(document["created_at"]),
            directory=str(document["directory"]),
            owner=Owner(*map(int, document["owner"])) if document["owner"] else None,
            is_complete=bool(document["is_complete"]),
            namespaces={str(name): int(inode) for name, inode in document["namespaces"].items()},
            runs=tuple(Run(*fields) for fields in document["runs"]),
            statuses={str(pod): PodStatus(*fields) for pod, fields in document.get("statuses", {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return State()
