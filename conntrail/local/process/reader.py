"""Asks the kernel about processes."""

from pathlib import Path

from conntrail.local.process.program import ProcessIdentity, parse_stat

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def identify(pid: int) -> ProcessIdentity | None:
    """The process of that number; None when there is none or it has ended (a zombie has)."""
    try:
        state, start_ticks = parse_stat(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace"))
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError, IndexError):
        return None
    return None if state in "ZX" else ProcessIdentity(pid, boot, start_ticks)


def is_running(identity: ProcessIdentity | None) -> bool:
    """Whether that very process lives."""
    return identity is not None and identify(identity.pid) == identity


def resident_bytes(pid: int) -> int:
    """Memory of the process and its direct children; 0 when it is gone."""
    return sum(_resident_bytes(number) for number in (str(pid), *_children(pid)))


def _children(pid: int) -> list[str]:
    """A child belongs to the thread that started it, so ask each (proc_pid_task_children(5))."""
    found: list[str] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += thread.read_text(encoding="ascii").split()
        except OSError:
            continue  # the thread has ended
    return found


def _resident_bytes(pid: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
