"""Prints the settings page of the documentation: ``python -m runtime > docs/settings.md``."""

import inspect
import sys

from runtime import settings
from runtime.document import page


def main() -> None:
    """The page to standard output."""
    sys.stdout.write(page(inspect.getsource(settings)))


if __name__ == "__main__":
    main()
