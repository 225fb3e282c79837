"""Whether this is continuous integration: nothing is skipped there, and every run asks the same of a commit."""

import os


def is_continuous_integration() -> bool:
    """As ``.ci/run`` and the usual services say it."""
    return os.environ.get("CI", "").lower() in ("1", "true")
