"""Entry point of the node agent: ``python -m agents.node [--check]``."""

import os
import sys

# OpenBLAS reserves memory and threads for matrices that nobody here multiplies; it reads this when numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from agents.errors import AgentError
from agents.node.main import run
from runtime.reader import read_settings
from runtime.settings import SettingsError
from runtime.writer import configure_logs


def main() -> None:
    """Run the agent; an expected failure is one line on standard error and exit status 1."""
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        sys.exit("usage: python -m agents.node [--check]")
    try:
        settings = read_settings()
        configure_logs(settings.log)
        run(settings, is_check=bool(arguments))
    except (AgentError, SettingsError) as error:
        sys.exit(f"conntrail agent: {error}")


if __name__ == "__main__":
    main()
