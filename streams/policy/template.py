"""What can be said of a path of which only the template is known: true, false, or None where it may be either.

Agents put ``{id}``, ``{date}`` or ``{email}`` for a segment, or for what stands before a file's extension, and ``{*}``
last for all deeper segments, if there are any (agents/node/application/template.py). A word of letters alone is never
folded. Taken for granted is that an identifier is one segment and spelt as it is meant: that no escape hides in it.
A path has no braces (RFC 3986, 3.3), so that one without any is its own template.
"""

import re
from collections.abc import Iterable
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\{(?:id|date|email)\}")
_REST: Final = "{*}"
ANY: Final = f"/{_REST}"
"""Of a path nothing is known."""
_LONGEST_WORD: Final = 64
"""Longer segments are folded whatever they hold."""


def is_template(path: str) -> bool:
    """Tell whether anything in it is folded."""
    return path.endswith(_REST) or _PLACEHOLDER.search(path) is not None


def is_told(method: str, path: str) -> bool:
    """Tell whether a path is one and no hash, nor left out. ``*`` and what CONNECT asks for are as they are."""
    return path.startswith("/") or path == "*" or method == "CONNECT"


def equals(path: str, other: str) -> bool | None:
    """Tell whether a path is another one, which is no template."""
    told, is_open = _segments(path)
    asked = other.split("/")
    if len(asked) < len(told) or (len(asked) > len(told) and not is_open):
        return False
    return _doubted(_agree(told, asked), is_open=is_open)


def is_below(path: str, other: str) -> bool | None:
    """Tell whether a path is another one or goes on after it with a slash."""
    told, is_open = _segments(path)
    asked = other.split("/")
    if len(asked) <= len(told):
        return _agree(told, asked)
    return _doubted(_agree(told, asked), is_open=True) if is_open else False


def begins(path: str, prefix: str) -> bool | None:
    """Tell whether a path begins with these characters."""
    told, is_open = _segments(path)
    *whole, last = prefix.split("/")
    if len(whole) >= len(told):
        return _doubted(_agree(told, whole), is_open=True) if is_open else False
    segment = told[len(whole)]
    if last and _PLACEHOLDER.match(segment):
        return _doubted(_agree(told, whole), is_open=True)
    return _agree(told, whole) if segment.startswith(last) else False


def _segments(path: str) -> tuple[list[str], bool]:
    """Those that are told, and whether deeper ones may follow."""
    told = path.split("/")
    is_open = told[-1] == _REST
    return (told[:-1] if is_open else told), is_open


def _agree(told: list[str], asked: list[str]) -> bool | None:
    """As far as both go."""
    return every(_is_like(one, other) for one, other in zip(told, asked, strict=False))


def _is_like(told: str, asked: str) -> bool | None:
    placeholder = _PLACEHOLDER.match(told)
    if placeholder is None:
        return told == asked
    extension = told[placeholder.end() :]
    stem = asked.removesuffix(extension)
    is_word = stem.isalpha() and len(asked) <= _LONGEST_WORD
    return None if stem and asked.endswith(extension) and not is_word else False


def _doubted(answer: bool | None, *, is_open: bool) -> bool | None:
    return None if answer and is_open else answer


def every(answers: Iterable[bool | None]) -> bool | None:
    """One no decides; else one doubt."""
    found: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            found = None
    return found


def either(answers: Iterable[bool | None]) -> bool | None:
    """One yes decides; else one doubt."""
    found: bool | None = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            found = None
    return found
