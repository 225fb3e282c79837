"""Images that tests build with buildah, in a storage of their own whose layers stay in the cache for the next run."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.chart import ROOT

NAMES: Final = ("node", "cluster", "streams")
_REPOSITORY: Final = "localhost/conntrail-test"
_BUILD_SECONDS: Final = 1500
_KEPT_MEBIBYTES: Final = 6000
"""One build is some 2 GiB, and each later one leaves the layers that led to its images."""
_READ_ONLY: Final = """
root=$1 user=$2
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777,size=16m tmp "$root/tmp"
exec chroot --userspec="$user" --groups= "$root" /usr/bin/env -i "$@"
"""


class MissingError(Exception):
    """Images cannot be built here; the message says why."""


@dataclass(frozen=True, slots=True)
class Image:
    """One that was built, with its root file system mounted."""

    name: str
    configuration: dict[str, Any]
    """As the OCI image specification has it: User, Env, Entrypoint, Labels."""
    root: Path
    size: str
    """With its base, uncompressed, in words."""

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """The command as the image's user in its environment; only /tmp can be written, as in the chart's pods."""
        user = str(self.configuration["User"])
        place = [str(self.root), user, *self.configuration["Env"]]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-euc", _READ_ONLY, "sh", *place, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def require() -> None:
    """Raises MissingError where images cannot be built."""
    for program in ("apt-get", "buildah", "mmdebstrap"):
        if shutil.which(program) is None:
            raise MissingError(f"{program} is not there: run make setup as root on Debian or Ubuntu")
    if os.geteuid():
        raise MissingError("root is needed")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        raise MissingError("no mount namespace may be made here")


@contextlib.contextmanager
def built_images(scratch: Path) -> Iterator[dict[str, Image]]:
    """All three, built as users build them. One run at a time has the storage, as each counts mounts of its own."""
    place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "conntrail" / "images"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        storage = place / "storage"
        if _mebibytes(storage) > _KEPT_MEBIBYTES:
            shutil.rmtree(storage)
        environment = _environment(storage, scratch)
        _buildah(environment, "rm", "--all")  # of a run that was killed
        try:
            replaced = _tagged(environment)
            _build(environment)
            for identity in sorted(replaced - _tagged(environment)):
                _buildah(environment, "rmi", identity)
            yield {name: _mounted(environment, name) for name in NAMES}
        finally:
            _buildah(environment, "rm", "--all")


def _environment(storage: Path, scratch: Path) -> dict[str, str]:
    """Nothing of the machine's own storage is touched."""
    configuration = scratch / "storage.conf"
    lines = ["[storage]", 'driver = "overlay"', f'graphroot = "{storage}"', f'runroot = "{scratch / "run"}"']
    configuration.write_text("\n".join(lines))
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "TMPDIR": str(scratch)}


def _build(environment: dict[str, str]) -> None:
    options = ["BASE=debian", f"REPOSITORY={_REPOSITORY}", "TAG=latest"]
    command = ["nice", "-n", "10", "make", "--no-print-directory", "images", *options]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def _tagged(environment: dict[str, str]) -> set[str]:
    """Identities of the images of this run or the one before."""
    images = json.loads(_buildah(environment, "images", "--json", "--no-trunc")) or []
    return {image["id"] for image in images if any(name.startswith(_REPOSITORY) for name in image.get("names") or [])}


def _mounted(environment: dict[str, str], name: str) -> Image:
    reference = f"{_REPOSITORY}/conntrail-{name}:latest"
    described = json.loads(_buildah(environment, "inspect", "--type", "image", reference))
    root = Path(_buildah(environment, "mount", _buildah(environment, "from", reference)))
    size = _buildah(environment, "images", "--format", "{{.Size}}", reference)
    return Image(name, described["OCIv1"]["config"], root, size)


def _buildah(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(["buildah", *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _mebibytes(folder: Path) -> int:
    """On disk; 0 where it is not there."""
    done = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0]) if done.stdout else 0
