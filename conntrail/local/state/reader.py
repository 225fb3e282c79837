"""Reads a stack's state, and who may enter its directory."""

from pathlib import Path

from conntrail.errors import CommandError
from conntrail.local.state.layout import Layout
from conntrail.local.state.state import StackState, parse_state

_OTHERS_MAY_ENTER = 0o001


def read_state(layout: Layout) -> StackState | None:
    """The state; None when the directory holds no stack. Raises CommandError when it cannot be read."""
    try:
        text = layout.state.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CommandError(f"{layout.state}: {error.strerror}") from error
    return parse_state(text, str(layout.state))


def require_ours(layout: Layout) -> None:
    """Raise CommandError when the directory holds something that is not ours."""
    try:
        content = {entry.name for entry in layout.root.iterdir()} if layout.root.exists() else set()
    except OSError as error:
        raise CommandError(f"{layout.root}: {error.strerror}; choose another --data-dir") from error
    if content - {layout.lock.name, layout.fresh_state.name} and layout.state.name not in content:
        raise CommandError(f"{layout.root} holds other files: choose an empty directory with --data-dir")


def closed_parent(path: Path) -> Path | None:
    """The first directory on the way that other users may not enter."""
    for directory in [*reversed(path.parents), path]:
        if directory.exists() and not directory.stat().st_mode & _OTHERS_MAY_ENTER:
            return directory
    return None
