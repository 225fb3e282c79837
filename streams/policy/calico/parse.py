"""From the text of a selector of Calico to its tree.

``||`` binds weakest, then ``&&``, then ``!``. Length and depth are bounded, whatever the text.
"""

from collections.abc import Callable, Iterator
from typing import Final, cast

from streams.policy.calico.expression import (
    ALL,
    Among,
    Both,
    Compare,
    Comparison,
    Either,
    Everything,
    Expression,
    Has,
    Not,
)
from streams.policy.calico.token import Token, tokenize
from streams.policy.fault import PolicyFault
from streams.policy.field import as_text, show

_LONGEST: Final = 65_536
"""Characters; Calico has no limit, but etcd takes no object above 1.5 MB and real selectors have hundreds."""
_DEEPEST: Final = 100
"""Parentheses within each other."""
_COMPARISONS: Final = frozenset({"==", "!=", "contains", "starts with", "ends with"})


def parse_expression(raw: object, where: str) -> Expression:
    """Read a selector; none and a blank one select all. Raise PolicyFault that says at which column it is wrong."""
    if raw is None:
        return ALL
    text = as_text(raw, where)
    if len(text) > _LONGEST:
        raise PolicyFault(f"{where}: a selector of {len(text)} characters, more than {_LONGEST}")
    try:
        return _Reader(tokenize(text)).whole()
    except PolicyFault as fault:
        raise PolicyFault(f"{where}: {show(text)}: {fault}") from None


class _Reader:
    def __init__(self, tokens: Iterator[Token]) -> None:
        self._tokens = tokens
        self._next = next(tokens)
        self._depth = 0

    def whole(self) -> Expression:
        expression = ALL if self._is_at_end() else self._either()
        if not self._is_at_end():
            raise self._expected("the end, && or ||")
        return expression

    def _is_at_end(self) -> bool:
        return self._next.kind == "end"

    def _either(self) -> Expression:
        parts = self._chain("||", self._both)
        return parts[0] if len(parts) == 1 else Either(parts)

    def _both(self) -> Expression:
        parts = self._chain("&&", self._term)
        return parts[0] if len(parts) == 1 else Both(parts)

    def _chain(self, symbol: str, read: Callable[[], Expression]) -> tuple[Expression, ...]:
        parts = [read()]
        while self._skip(symbol):
            parts.append(read())
        return tuple(parts)

    def _term(self) -> Expression:
        is_negated = False
        while self._skip("!"):
            is_negated = not is_negated
        term = self._plain_term()
        return Not(term) if is_negated else term

    def _plain_term(self) -> Expression:
        token = self._next
        if self._skip("("):
            return self._nested()
        match token.kind:
            case "has":
                self._take()
                return Has(token.text)
            case "all" | "global":
                self._take()
                return Everything(is_global=token.kind == "global")
            case "label":
                self._take()
                return self._comparison(token.text)
            case _:
                raise self._expected("a label, has(), all(), global() or a parenthesis")

    def _nested(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PolicyFault(f"more than {_DEEPEST} parentheses within each other")
        expression = self._either()
        if not self._skip(")"):
            raise self._expected(")")
        self._depth -= 1
        return expression

    def _comparison(self, key: str) -> Expression:
        operator = self._next.text if self._next.kind in ("operator", "symbol") else ""
        if operator in _COMPARISONS:
            self._take()
            return Compare(key, cast("Comparison", operator), self._text())
        if operator not in ("in", "not in"):
            raise self._expected(f"an operator after {key}")
        self._take()
        return Among(key, self._values(), is_negated=operator == "not in")

    def _values(self) -> frozenset[str]:
        """A comma may follow the last one."""
        if not self._skip("{"):
            raise self._expected("{")
        values: set[str] = set()
        while self._next.kind == "text":
            values.add(self._text())
            if not self._skip(","):
                break
        if not self._skip("}"):
            raise self._expected("}")
        return frozenset(values)

    def _text(self) -> str:
        if self._next.kind != "text":
            raise self._expected("a quoted text")
        return self._take().text

    def _take(self) -> Token:
        token = self._next
        if not self._is_at_end():
            self._next = next(self._tokens)
        return token

    def _skip(self, symbol: str) -> bool:
        if self._next.kind != "symbol" or self._next.text != symbol:
            return False
        self._take()
        return True

    def _expected(self, what: str) -> PolicyFault:
        return PolicyFault(f"expected {what} at column {self._next.column}")
