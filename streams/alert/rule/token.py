"""The words of a condition."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from streams.alert.rule.fault import RuleError

Kind = Literal["name", "number", "text", "word", "operator", "symbol", "end"]
WORDS: Final = frozenset({"and", "or", "not", "in", "like", "true", "false"})
_MAXIMUM_LENGTH: Final = 4096
_TOKEN: Final = re.compile(
    r"[ \t\r\n]*(?:(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<name>[a-z][a-z0-9_]*)|(?P<operator>==|!=|<=|>=|<|>)"
    r"|(?P<symbol>[()\[\],])|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word; of a quoted text what stands between the quotes."""

    kind: Kind
    text: str
    column: int
    """From 1."""


def tokenize(condition: str) -> Iterator[Token]:
    """Yield the words and an end. Raise RuleError at a character that begins none."""
    if len(condition) > _MAXIMUM_LENGTH:
        raise RuleError(f"longer than {_MAXIMUM_LENGTH} characters")
    text, at = condition.rstrip(), 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise RuleError(f"nothing known begins at column {at + 1}: {text[at:].strip()[:20]!r}")
        yield _token(found)
        at = found.end()
    yield Token("end", "", len(text) + 1)


def _token(found: re.Match[str]) -> Token:
    group = str(found.lastgroup)
    text = found[group]
    column = found.start(group) + 1
    if group == "name":
        return Token("word" if text in WORDS else "name", text, column)
    if group == "number":
        return Token("number", text, column)
    if group == "operator":
        return Token("operator", text, column)
    return Token("symbol", text, column) if group == "symbol" else Token("text", text, column - 1)
