"""Ports as a user writes them. Pure."""

from typing import Final

from conntrail.errors import CommandError

_MOST: Final = 1024
"""Each is a socket and a thread of one program."""
_LAST: Final = 65_535


def ports_of(text: str) -> list[int]:
    """Of ``80,8000-8049``, each once, in order of number. Raises CommandError."""
    found = sorted({port for part in text.split(",") for port in _range(part.strip())})
    if len(found) > _MOST:
        raise CommandError(f"{len(found)} ports are more than a pod calls at once: name at most {_MOST}")
    return found


def _range(text: str) -> range:
    first, dash, last = text.partition("-")
    begin, end = _number(first), _number(last if dash else first)
    if not 0 < begin <= end:
        raise CommandError(f"{text or 'nothing'}: expected a port, or a range of ports such as 8000-8049")
    return range(begin, end + 1)


def _number(text: str) -> int:
    """0 when it is no port."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_LAST))
    return int(text) if is_number and int(text) <= _LAST else 0
