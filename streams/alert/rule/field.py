"""Fields of a rule, each read by what it must be."""

import re
from typing import Final

from runtime.unit import Seconds
from streams.alert.rule.document import Listing, Node, Scalar, Table
from streams.alert.rule.fault import RuleError

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_FLAGS: Final = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
_MAXIMUM_TEXT: Final = 8192
_LONGEST_NS: Final = 24 * 3600 * 10**9


def text_of(node: Node) -> str:
    """A text that says something."""
    if not isinstance(node, Scalar) or not node.text.strip():
        raise RuleError("expected a text")
    if len(node.text) > _MAXIMUM_TEXT:
        raise RuleError(f"longer than {_MAXIMUM_TEXT} characters")
    return node.text.strip()


def id_of(node: Node) -> str:
    """A name of a rule."""
    text = text_of(node)
    if _ID.fullmatch(text) is None:
        raise RuleError(f"expected lower case letters, digits and hyphens, at most 63, got {text[:80]!r}")
    return text


def choice_of(node: Node, choices: tuple[str, ...]) -> str:
    """One of some words."""
    text = text_of(node)
    if text not in choices:
        raise RuleError(f"expected {', '.join(choices[:-1])} or {choices[-1]}, got {text[:80]!r}")
    return text


def flag_of(node: Node) -> bool:
    """Yes or no."""
    text = text_of(node).lower()
    if text not in _FLAGS:
        raise RuleError(f"expected true or false, got {text[:80]!r}")
    return _FLAGS[text]


def duration_of(node: Node, longest_ns: int = _LONGEST_NS) -> int:
    """A duration, ns."""
    try:
        seconds = Seconds.parse(text_of(node))
    except ValueError as error:
        raise RuleError(str(error)) from error
    duration_ns = round(seconds * 10**9)
    if duration_ns > longest_ns:
        raise RuleError(f"longer than {longest_ns // 10**9} s")
    return duration_ns


def number_of(node: Node, least: int, most: int) -> int:
    """A whole number."""
    text = text_of(node)
    if not (text.isascii() and text.isdigit()) or not least <= int(text[:9]) <= most:
        raise RuleError(f"expected a number from {least} to {most}, got {text[:80]!r}")
    return int(text)


def names_of(node: Node) -> tuple[str, ...]:
    """Words in a row, each once."""
    if not isinstance(node, Listing):
        raise RuleError("expected a list")
    names = tuple(text_of(item) for item in node.items)
    if len(set(names)) != len(names):
        raise RuleError("a name is given twice")
    return names


def tables_of(node: Node) -> tuple[Table, ...]:
    """Mappings in a row."""
    if not isinstance(node, Listing):
        raise RuleError("expected a list")
    tables = tuple(item for item in node.items if isinstance(item, Table))
    if len(tables) != len(node.items):
        raise RuleError("expected names with values")
    return tables
