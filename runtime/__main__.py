"""Prints the settings page of the documentation: ``python -m runtime > docs/settings.md``."""

import inspect
import sys

from runtime.document import modules, page


def main() -> None:
    """The page to standard output."""
    sys.stdout.write(page(inspect.getsource(sys.modules[name]) for name in modules()))


if __name__ == "__main__":
    main()
