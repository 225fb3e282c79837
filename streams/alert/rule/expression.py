"""A condition's text as a tree, each name and value held against the measures that its signal has.

condition  = part {"or" part};  part = factor {"and" factor}
factor     = "not" factor | "(" condition ")" | comparison
comparison = NAME | NAME (== != < <= > >=) VALUE | NAME ["not"] "in" "[" VALUE {"," VALUE} "]" | NAME "like" TEXT
"""

from collections.abc import Callable, Mapping
from typing import Final

from streams.alert.rule.condition import All, Among, Any, Compare, Condition, Flag, Like, Not, Value
from streams.alert.rule.fault import RuleError
from streams.alert.rule.measure import Measure
from streams.alert.rule.token import Kind, Token, tokenize

_DEEPEST: Final = 32
_ORDERED: Final = frozenset({"<", "<=", ">", ">="})


def parse_condition(text: str, measures: Mapping[str, Measure]) -> Condition:
    """Raise RuleError, with the column, for what is no condition over these measures."""
    return _Parser(list(tokenize(text)), measures).whole()


class _Parser:
    def __init__(self, tokens: list[Token], measures: Mapping[str, Measure]) -> None:
        self._tokens = tokens
        self._measures = measures
        self._at = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._chain("or", Any, self._part)
        if self._next.kind != "end":
            raise self._fault("expected and, or, or the end")
        return condition

    def _part(self) -> Condition:
        return self._chain("and", All, self._factor)

    def _chain(
        self, word: str, kind: Callable[[tuple[Condition, ...]], Condition], read: Callable[[], Condition]
    ) -> Condition:
        parts = [read()]
        while self._took("word", word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _factor(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._fault(f"nested more than {_DEEPEST} levels")
        factor = self._inner()
        self._depth -= 1
        return factor

    def _inner(self) -> Condition:
        if self._took("word", "not"):
            return Not(self._factor())
        if self._took("symbol", "("):
            condition = self._chain("or", Any, self._part)
            self._expect("symbol", ")")
            return condition
        return self._comparison()

    def _comparison(self) -> Condition:
        token = self._next
        if token.kind != "name":
            raise self._fault("expected a measure")
        measure = self._measures.get(token.text)
        if measure is None:
            raise self._fault(f"{token.text} is no measure of this signal; it has {', '.join(sorted(self._measures))}")
        self._at += 1
        if self._next.kind == "operator":
            return self._compared(token.text, measure)
        return self._listed(token.text, measure)

    def _compared(self, name: str, measure: Measure) -> Condition:
        operator = self._take()
        if operator.text in _ORDERED and measure.kind != "number":
            raise self._fault(f"{operator.text} needs a number, and {name} is a {measure.kind}", operator)
        return Compare(name, operator.text, self._value(name, measure))

    def _listed(self, name: str, measure: Measure) -> Condition:
        is_negated = self._took("word", "not")
        if is_negated or self._is_next("word", "in"):
            self._expect("word", "in")
            among = Among(name, self._values(name, measure))
            return Not(among) if is_negated else among
        if self._took("word", "like"):
            return self._like(name, measure)
        if measure.kind != "flag":
            raise self._fault(f"{name} is a {measure.kind}: compare it with a value")
        return Flag(name)

    def _like(self, name: str, measure: Measure) -> Condition:
        token = self._take()
        if measure.kind != "text" or token.kind != "text":
            raise self._fault("like compares a text with a quoted pattern", token)
        return Like(name, token.text)

    def _values(self, name: str, measure: Measure) -> tuple[Value, ...]:
        self._expect("symbol", "[")
        values = [self._value(name, measure)]
        while self._took("symbol", ","):
            values.append(self._value(name, measure))
        self._expect("symbol", "]")
        return tuple(values)

    def _value(self, name: str, measure: Measure) -> Value:
        token = self._take()
        if measure.kind == "flag" and token.text in ("true", "false"):
            return token.text == "true"
        if token.kind != measure.kind:
            raise self._fault(f"{name} is a {measure.kind}, which this is not", token)
        if measure.kind == "number":
            return float(token.text)
        if measure.choices and token.text not in measure.choices:
            raise self._fault(f"{name} is one of {', '.join(filter(None, measure.choices))}", token)
        return token.text

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _is_next(self, kind: Kind, text: str) -> bool:
        return (self._next.kind, self._next.text) == (kind, text)

    def _took(self, kind: Kind, text: str) -> bool:
        is_there = self._is_next(kind, text)
        self._at += is_there
        return is_there

    def _expect(self, kind: Kind, text: str) -> None:
        if not self._took(kind, text):
            raise self._fault(f"expected {text}")

    def _take(self) -> Token:
        token = self._next
        if token.kind == "end":
            raise self._fault("a value is missing")
        self._at += 1
        return token

    def _fault(self, reason: str, token: Token | None = None) -> RuleError:
        return RuleError(f"column {(token or self._next).column}: {reason}")
