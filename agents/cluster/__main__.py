"""Entry point of the cluster agent: ``python -m agents.cluster [--check]``."""

import sys

from agents.cluster.main import run
from agents.errors import AgentError
from runtime.reader import read_settings
from runtime.settings import SettingsError
from runtime.writer import configure_logs


def main() -> None:
    """Run the agent; an expected failure is one line on standard error and exit status 1."""
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m agents.cluster [--check]\n")
        sys.exit(2)
    try:
        settings = read_settings()
        configure_logs(settings.log)
        run(settings, is_check=bool(arguments))
    except (SettingsError, AgentError) as error:
        sys.exit(f"conntrail cluster-agent: {error}")


if __name__ == "__main__":
    main()
