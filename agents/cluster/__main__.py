"""Entry point of the cluster agent: ``python -m agents.cluster [--check]``."""

import sys

from agents.cluster.main import run
from agents.errors import AgentError
from runtime.reader import read_settings
from runtime.settings import SettingsError
from runtime.writer import configure_logs


def main() -> None:
    """Run the agent; an expected failure is one line on standard error and exit status 1."""
    try:
        settings = read_settings()
        configure_logs(settings.log)
        run(settings, is_check="--check" in sys.argv)
    except (SettingsError, AgentError) as error:
        sys.exit(f"conntrail cluster-agent: {error}")


if __name__ == "__main__":
    main()
