"""The lab's directory: state, manifests and the objects that the cluster agent reads; all replaced atomically."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec
import yaml

from conntrail.errors import CommandError
from conntrail.lab.audit.writer import AuditLog
from conntrail.lab.cluster import Object
from conntrail.lab.program.name.zone import Zone
from conntrail.lab.state import STATES, Layout, Owner, State, format_state, parse_state

_MACHINE_LOCK: Final = STATES / "building.lock"
"""Namespaces are the machine's, whatever directory a lab has."""
_LOCK_SECONDS: Final = 20.0
_SHORT_SECONDS: Final = 1.0


def labs() -> dict[Path, State]:
    """State of every lab of this machine, by the file that holds it."""
    return {path: _read_state(path) for path in sorted(STATES.glob("*.json"))}


def is_abandoned(state: State) -> bool:
    """Whether nobody is left to end a lab: its building, its owner or its directory ended before it.

    Only while nothing is built: a lab that is being built looks like one that was killed then.
    """
    is_owned = state.owner is None or state.owner == _process(state.owner.pid)
    return not (state.is_complete and is_owned and Path(state.directory).is_dir())


def this_process() -> Owner:
    """The owner of labs that end with this process."""
    found = _process(os.getpid())
    assert found is not None
    return found


class Store:
    """Files of one lab."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.audit = AuditLog(layout.audit_path)

    @property
    def state(self) -> State:
        """As last written; empty when there is none."""
        return _read_state(self.layout.state_path)

    @property
    def given(self) -> list[Object]:
        """The manifests as they are now: checked before they were written. Raises CommandError when they are gone."""
        path = self.layout.manifests_path
        try:
            return list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
        except (OSError, yaml.YAMLError) as error:
            raise CommandError(f"{path} is lost: conntrail lab down ends the lab") from error

    def begin(self, objects: list[Object]) -> None:
        """Make the directory of a new lab. Raises CommandError."""
        try:
            self.layout.cluster_directory.mkdir(parents=True, exist_ok=True)
            self.layout.truth_path.unlink(missing_ok=True)
            self.audit.begin()
            self.write_given(objects)
        except OSError as error:
            raise CommandError(
                f"{self.layout.root}: {error.strerror}; another place is given by --state-dir"
            ) from error

    def write_state(self, state: State) -> None:
        """Replace the state."""
        _replace(self.layout.state_path, format_state(state))

    def write_given(self, objects: list[Object]) -> None:
        """Replace the manifests."""
        _replace(self.layout.manifests_path, yaml.dump_all(objects, Dumper=yaml.CSafeDumper, sort_keys=False))

    def write_shown(self, objects: Iterable[Object]) -> None:
        """Replace the objects that the cluster agent reads; it sees the old ones or the new ones."""
        listing = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        text = yaml.dump(listing, Dumper=yaml.CSafeDumper, sort_keys=False)
        _replace(self.layout.cluster_directory / "objects.yaml", text)

    def write_zone(self, zone: Zone) -> None:
        """Replace what DNS servers read as they start."""
        _replace(self.layout.zone_path, msgspec.json.encode(zone).decode())

    def remove(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self.layout.root, ignore_errors=True)

    @contextmanager
    def building(self) -> Iterator[None]:
        """One at a time on this machine builds or removes. Raises CommandError when another takes long."""
        with _lock(_MACHINE_LOCK):
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One at a time changes what runs: pods that come and go, policies; others wait."""
        with _lock(self.layout.root / "changing.lock"):
            yield

    @contextmanager
    def talking(self) -> Iterator[None]:
        """One at a time makes traffic: another would take its pods away. Raises CommandError."""
        with _lock(self.layout.root / "traffic.lock", _SHORT_SECONDS, "traffic is made already: wait for its end"):
            yield


def _read_state(path: Path) -> State:
    try:
        return parse_state(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return State()


def _process(pid: int) -> Owner | None:
    """None when no such process runs. The name in brackets may hold anything, so fields count from its end."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else Owner(pid, int(fields[19]))


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextmanager
def _lock(
    path: Path, seconds: float = _LOCK_SECONDS, refusal: str = "another command holds the lab: wait for it, or end it"
) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except PermissionError as error:
        raise CommandError(
            f"{path.parent} is not ours to write: build the lab as root, or by conntrail lab up"
        ) from error
    with handle:
        # What is under way when this process is killed keeps the lock (flock(2)): else it would make things later on.
        os.set_inheritable(handle.fileno(), True)
        _acquire(handle, seconds, refusal)
        yield


def _acquire(handle: IO[str], seconds: float, refusal: str) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() > deadline:
                raise CommandError(refusal) from error
            time.sleep(0.02)
        else:
            return
