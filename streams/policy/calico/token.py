"""The words of Calico's selector language.

What may follow depends on the word before, as in Calico's own reader: after a label comes an operator, and blanks are
spaces and tabs only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from streams.policy.fault import PolicyFault

Kind = Literal["label", "text", "has", "all", "global", "operator", "symbol", "end"]
_KEY: Final = r"[a-zA-Z0-9_./-]{1,512}"
_SYMBOL: Final = re.compile(r"==|!=|&&|\|\||[(){},!]")
_TEXT: Final = re.compile(r"\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'")
_OPERATOR: Final = re.compile(
    r"(?P<contains>contains)|(?P<starts>starts[ \t]*with)|(?P<ends>ends[ \t]*with)"
    r"|(?P<without>not[ \t]*in)|(?P<within>in)"
)
_OPERATORS: Final = {
    "contains": "contains",
    "starts": "starts with",
    "ends": "ends with",
    "without": "not in",
    "within": "in",
}
_OPERAND: Final = re.compile(
    rf"has\([ \t]*(?P<has>{_KEY})[ \t]*\)|(?P<all>all\([ \t]*\))|(?P<global>global\([ \t]*\))"
    rf"|(?!(?:has|all|global)\()(?P<label>{_KEY})"
)
_OPERAND_KINDS: Final[tuple[Literal["has", "all", "global", "label"], ...]] = ("has", "all", "global", "label")


@dataclass(frozen=True, slots=True)
class Token:
    """One word; ``text`` is a label's key, a quoted value, an operator or a symbol."""

    kind: Kind
    text: str
    column: int
    """From 1."""


def tokenize(selector: str) -> Iterator[Token]:
    """Yield the words and an end. Raise PolicyFault at a character that begins none."""
    at, kind = 0, ""
    while True:
        while at < len(selector) and selector[at] in " \t":
            at += 1
        if at == len(selector):
            yield Token("end", "", at + 1)
            return
        token, at = _read(selector, at, is_after_label=kind == "label")
        kind = token.kind
        yield token


def _read(selector: str, at: int, *, is_after_label: bool) -> tuple[Token, int]:
    found = _SYMBOL.match(selector, at)
    if found:
        return Token("symbol", found[0], at + 1), found.end()
    found = _TEXT.match(selector, at)
    if found:
        return Token("text", found[0][1:-1], at + 1), found.end()
    found = (_OPERATOR if is_after_label else _OPERAND).match(selector, at)
    if found is None:
        raise PolicyFault(f"nothing known begins at column {at + 1}")
    if is_after_label:
        return Token("operator", _OPERATORS[str(found.lastgroup)], at + 1), found.end()
    kind = next(kind for kind in _OPERAND_KINDS if found[kind] is not None)
    return Token(kind, found[kind], at + 1), found.end()
