"""Entry point of a worker: ``python -m streams [STAGE ...] [--check]``."""

import sys

from runtime.reader import read_settings
from runtime.settings import SettingsError
from runtime.writer import configure_logs
from streams.errors import StreamError
from streams.main import run


def main() -> None:
    """Run the worker; an expected failure is one line on standard error and exit status 1."""
    try:
        settings = read_settings()
        configure_logs(settings.log)
        run(settings, [name for name in sys.argv[1:] if name != "--check"], is_check="--check" in sys.argv)
    except (SettingsError, StreamError) as error:
        sys.exit(f"conntrail worker: {error}")


if __name__ == "__main__":
    main()
