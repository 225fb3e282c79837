"""Entry point of the ``conntrail`` command."""

import sys

from conntrail.command import app
from conntrail.errors import CommandError
from conntrail.extra import advice
from runtime.settings import SettingsError


def main() -> None:
    """Run the command; an expected failure is one line on standard error and exit status 1."""
    try:
        app()
    except (SettingsError, CommandError) as error:
        sys.exit(f"conntrail: {error}")
    except ModuleNotFoundError as error:
        line = advice(error.name or "")
        if line is None:
            raise
        sys.exit(f"conntrail: {line}")


if __name__ == "__main__":
    main()
