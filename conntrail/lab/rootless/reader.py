"""Finds the process that holds a user's lab, what the kernel allows users, and who the user is."""

import getpass
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from conntrail.lab.rootless.holder import NAME
from conntrail.lab.rootless.refusal import SETTINGS


def find_holder() -> int | None:
    """Process number of this user's holder; None when there is none. One that is ending has no namespaces any more."""
    return next((pid for pid in _own_processes() if _text(pid, "comm") == NAME and _namespace(pid, "net")), None)


def is_inside() -> bool:
    """Whether this process lives in a holder's namespaces."""
    return _text(1, "comm") == NAME


def processes_inside(holder: int) -> list[int]:
    """Those that live with a holder."""
    wanted = _namespace(holder, "pid")
    found = [pid for pid in _own_processes() if pid != holder and wanted and _namespace(pid, "pid") == wanted]
    return [pid for pid in found if _is_alive(pid)]


def forbidding_settings() -> dict[str, str]:
    """Values of those settings that may forbid users to make namespaces, as far as this kernel has them."""
    found = {}
    for name in SETTINGS:
        with suppress(OSError):
            found[name] = Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
    return found


def user_name() -> str:
    """Of who runs this process; of one who is root by sudo, who that was.

    With a holder everybody is root: there the environment bears the name.
    """
    sudoer = os.environ.get("SUDO_USER")
    if sudoer and os.geteuid() == 0 and not is_inside():
        return sudoer
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid:{os.geteuid()}"


def _own_processes() -> Iterator[int]:
    user = os.geteuid()
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are wanted, not paths
        with suppress(OSError):
            if name.isdecimal() and os.stat(f"/proc/{name}").st_uid == user:  # noqa: PTH116 - of thousands
                yield int(name)


def _is_alive(pid: int) -> bool:
    """Not one that has ended and that nobody asked for: the first process of a container may never ask."""
    return _text(pid, "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"], ["X"])


def _text(pid: int, file: str) -> str:
    try:
        return Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except OSError:
        return ""


def _namespace(pid: int, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return ""
