"""Entry point of the node agent: ``python -m agents.node [--check]``. Settles what memory may cost before it loads."""

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
_LARGE_BYTES = 256 << 10


def _bound_memory() -> None:
    """Give an interval's large arrays back to the system when they are freed, and share one arena among threads.

    glibc raises its thresholds as large blocks come and go, so that the largest interval ever seen would stay.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none and returns memory by itself
        for name, value in ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _LARGE_BYTES), (_M_TRIM_THRESHOLD, _LARGE_BYTES)):
            mallopt(name, value)


_bound_memory()
# OpenBLAS reserves memory and threads for matrices that nobody here multiplies; it reads this when numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# structlog loads rich for coloured tracebacks when it can, which would cost 5 MiB on every node.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None is how an import is refused

from agents.errors import AgentError  # noqa: E402 - after the environment is set
from agents.node.main import run  # noqa: E402 - the same
from runtime.reader import read_settings  # noqa: E402 - the same
from runtime.settings import SettingsError  # noqa: E402 - the same
from runtime.writer import configure_logs  # noqa: E402 - the same


def main() -> None:
    """Run the agent; an expected failure is one line on standard error and exit status 1."""
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m agents.node [--check]\n")
        sys.exit(2)
    try:
        settings = read_settings()
        configure_logs(settings.log)
        run(settings, is_check=bool(arguments))
    except (AgentError, SettingsError) as error:
        sys.exit(f"conntrail agent: {error}")


if __name__ == "__main__":
    main()
