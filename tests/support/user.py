"""Commands of a user who is not root, with a home of its own and an interpreter that it may run."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import conntrail

UID = 60123
"""Nobody's on any machine."""
_DROP = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "env")
"""What setpriv itself starts is still found with root's rights, what env starts is not."""


@dataclass(frozen=True, slots=True)
class User:
    """One who is not root."""

    home: Path
    python: str
    path: str

    def run(self, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run ``conntrail lab`` to its end, behind another command if one is given."""
        return subprocess.run(
            [*_DROP, *before, *self.lab(*words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=self.environment,
            cwd=self.home,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start ``conntrail lab``."""
        started: subprocess.Popen[str] = subprocess.Popen(
            [*_DROP, *self.lab(*words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            cwd=self.home,
        )
        return started

    def lab(self, *words: str) -> list[str]:
        return [self.python, "-m", "conntrail", "lab", *words]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": self.path,
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def processes(self) -> dict[int, str]:
        """Command lines of what runs, by process number."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and entry.stat().st_uid == UID:
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue  # it ended meanwhile
        return {pid: words for pid, words in found.items() if words}


@contextmanager
def a_user() -> Iterator[User | None]:
    """None where no interpreter is found that such a user may run."""
    home = Path(tempfile.mkdtemp(prefix="conntrail-user-"))
    os.chown(home, UID, UID)
    here = Path(conntrail.__file__).parents[1]
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    version = f"python3.{sys.version_info.minor}"
    try:
        candidates = [
            User(home, python, f"{here}:{packages}")
            for python in (sys.executable, shutil.which(version, path="/usr/bin"))
            if python
        ]
        yield next((user for user in candidates if _is_able(user)), None)
    finally:
        shutil.rmtree(home)


def _is_able(user: User) -> bool:
    try:
        return user.run("--help").returncode == 0
    except OSError:
        return False
