"""Selectors of Calico (docs.tigera.io, "Selectors"): from text to a question that is asked of labels."""

import re
from collections.abc import Callable, Mapping
from typing import Final

Labels = Mapping[str, str]
Holds = Callable[[Labels, bool], bool]
"""Asked of labels, and whether what has them stands outside of all namespaces."""

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<text>'[^']*'|"[^"]*")
  | (?P<call>(?:all|global)\s*\(\s*\)|has\s*\(\s*(?P<asked>[\w./-]+)\s*\))
  | (?P<sign>&&|\|\||==|!=|!|[(){},])
  | (?P<word>[A-Za-z0-9][\w./-]*)
    )""",
    re.VERBOSE,
)
_COMPARED: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "==": str.__eq__,
    "contains": str.__contains__,
    "starts with": str.startswith,
    "ends with": str.endswith,
}
_MOST_DEPTH: Final = 50


class SelectorError(ValueError):
    """A selector that is none."""


def parse_selector(text: str, *, is_of_namespaces: bool = False) -> Holds:
    """An empty one selects everything. Raises SelectorError.

    ``is_of_namespaces``: ``all()`` is what is in any namespace and ``global()`` what is in none; else both are all.
    """
    reader = _Reader(_tokens(text), is_of_namespaces)
    if not reader.tokens:
        return lambda _labels, _is_global: True
    found = reader.either(0)
    if reader.tokens:
        raise SelectorError(f"{reader.tokens[0]!r} is not expected there")
    return found


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise SelectorError(f"{text[at : at + 20].strip()!r} is not understood")
        at = token.end()
        asked = token["asked"]
        found.append(f"has({asked}" if asked else re.sub(r"\s", "", token[0]) if token["call"] else token[0].strip())
    return found


class _Reader:
    """Takes tokens from the front."""

    def __init__(self, tokens: list[str], is_of_namespaces: bool) -> None:
        self.tokens = tokens
        self._is_of_namespaces = is_of_namespaces

    def either(self, depth: int) -> Holds:
        if depth > _MOST_DEPTH:
            raise SelectorError("parentheses within parentheses without end")
        parts = [self._both(depth)]
        while self._skip("||"):
            parts.append(self._both(depth))
        return lambda labels, is_global: any(part(labels, is_global) for part in parts)

    def _both(self, depth: int) -> Holds:
        parts = [self._single(depth)]
        while self._skip("&&"):
            parts.append(self._single(depth))
        return lambda labels, is_global: all(part(labels, is_global) for part in parts)

    def _single(self, depth: int) -> Holds:
        is_negated = False
        while self._skip("!"):
            is_negated = not is_negated
        part = self._inner(depth)
        return (lambda labels, is_global: not part(labels, is_global)) if is_negated else part

    def _inner(self, depth: int) -> Holds:
        if self._skip("("):
            part = self.either(depth + 1)
            self._expect(")")
            return part
        word = self._take()
        if word == "all()":
            return lambda _labels, is_global: not (is_global and self._is_of_namespaces)
        if word == "global()":
            return lambda _labels, is_global: is_global or not self._is_of_namespaces
        if word.startswith("has("):
            return lambda labels, _is_global: word[4:] in labels
        return self._comparison(word)

    def _comparison(self, key: str) -> Holds:
        if not re.fullmatch(r"[A-Za-z0-9][\w./-]*", key):
            raise SelectorError(f"expected a label, got {key!r}")
        operator = self._take()
        if operator == "not":
            self._expect("in")
            operator = "notin"
        if operator in ("in", "notin"):
            values = self._values()
            return lambda labels, _is_global: (labels.get(key) in values) == (operator == "in")
        if operator in ("starts", "ends"):
            self._expect("with")
            operator += " with"
        value = self._text()
        if operator == "!=":
            return lambda labels, _is_global: labels.get(key) != value
        compared = _COMPARED.get(operator)
        if compared is None:
            raise SelectorError(f"{operator!r} is no operator")
        return lambda labels, _is_global: key in labels and compared(labels[key], value)

    def _values(self) -> frozenset[str]:
        self._expect("{")
        values = set()
        while not self._skip("}"):
            values.add(self._text())
            if not self._skip(",") and self.tokens[:1] != ["}"]:
                raise SelectorError("a set lacks its }")
        return frozenset(values)

    def _text(self) -> str:
        token = self._take()
        if token[0] not in "'\"":
            raise SelectorError(f"expected a text in quotes, got {token!r}")
        return token[1:-1]

    def _skip(self, wanted: str) -> bool:
        if self.tokens[:1] != [wanted]:
            return False
        self.tokens.pop(0)
        return True

    def _expect(self, wanted: str) -> None:
        if not self._skip(wanted):
            raise SelectorError(f"expected {wanted!r}")

    def _take(self) -> str:
        if not self.tokens:
            raise SelectorError("it ends too early")
        return self.tokens.pop(0)
