"""Which lines of a log tell why a server ended."""

from collections.abc import Iterable


def telling(lines: Iterable[str], count: int) -> list[str]:
    """The last ones that are no frames of a Java stack trace, which would push the reason out of sight."""
    return [line for line in lines if not line.lstrip().startswith(("at ", "... "))][-count:]
