"""Prints the page of roles of the documentation: ``python -m conntrail.setup.access > docs/roles.md``."""

import sys

from conntrail.setup.access.page import page
from runtime.settings import Settings


def main() -> None:
    """The page to standard output."""
    settings = Settings()
    sys.stdout.write(page(settings.kafka.topic_prefix, settings.elasticsearch.namespace))


if __name__ == "__main__":
    main()
