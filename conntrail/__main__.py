"""Entry point of the ``conntrail`` command."""

import sys

from conntrail.command import app
from conntrail.errors import CommandError
from runtime.settings import SettingsError


def main() -> None:
    """Run the command; an expected failure is one line on standard error and exit status 1."""
    try:
        app()
    except (SettingsError, CommandError) as error:
        sys.exit(f"conntrail: {error}")


if __name__ == "__main__":
    main()
