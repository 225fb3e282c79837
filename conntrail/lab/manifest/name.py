"""Names of objects, as the API server allows them; each also becomes the name of a network namespace or process."""

import re
from typing import Final

from conntrail.errors import CommandError

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LONGEST_LABEL: Final = 63
_LONGEST_SUBDOMAIN: Final = 253
_LONGEST: Final = {"CronJob": 52, "Service": _LONGEST_LABEL, "Namespace": _LONGEST_LABEL}
"""RFC 1123 labels; a CronJob's leaves room for the names of its Jobs."""


def check_name(place: str, kind: str, name: str) -> None:
    """Raises CommandError."""
    longest = _LONGEST.get(kind, _LONGEST_SUBDOMAIN)
    pattern = _LABEL if kind in ("Service", "Namespace") else _SUBDOMAIN
    _check(f"{place}: metadata.name", name, pattern, longest)


def check_namespace(place: str, name: str) -> None:
    """Raises CommandError."""
    _check(f"{place}: metadata.namespace", name, _LABEL, _LONGEST_LABEL)


def _check(field: str, name: str, pattern: re.Pattern[str], longest: int) -> None:
    if len(name) > longest:
        raise CommandError(f"{field}: {len(name)} characters, more than {longest}")
    if not pattern.fullmatch(name):
        dots = " and ." if pattern is _SUBDOMAIN else ""
        raise CommandError(f"{field}: {name[:60]!r}: only a-z, 0-9, -{dots} are allowed, and no - or . at an end")
