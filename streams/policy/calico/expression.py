"""A selector of Calico as a tree, and what it says of labels.

Meaning: docs.tigera.io, "Selectors"; ``!=`` and ``not in`` hold when the label is missing. Answers have three values,
None where a label's value cannot be known.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

Comparison = Literal["==", "!=", "contains", "starts with", "ends with"]
_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "==": str.__eq__,
    "contains": str.__contains__,
    "starts with": str.startswith,
    "ends with": str.endswith,
}


class Obscurity(Enum):
    """That a label may be there or not, with any value."""

    UNKNOWN = "unknown"


Value = str | None | Literal[Obscurity.UNKNOWN]
"""Of a label; None where it is missing."""


class Labels(Protocol):
    """Labels as a selector sees them."""

    def value(self, key: str) -> Value:
        """Look one up."""


class Expression(Protocol):
    """A selector, or a part of one. ``str`` writes it so that it is read back as the same tree."""

    def matches(self, labels: Labels) -> bool | None:
        """Tell whether the labels are selected."""


@dataclass(frozen=True, slots=True)
class Everything:
    """``all()`` or ``global()``; only a selector of namespaces tells them apart."""

    is_global: bool = False

    def matches(self, labels: Labels) -> bool:  # noqa: ARG002 - the protocol's signature
        """Whatever has labels is selected."""
        return True

    def __str__(self) -> str:
        return "global()" if self.is_global else "all()"


@dataclass(frozen=True, slots=True)
class Has:
    """The label is there, whatever its value."""

    key: str

    def matches(self, labels: Labels) -> bool | None:
        """An empty value is a value."""
        value = labels.value(self.key)
        return None if value is Obscurity.UNKNOWN else value is not None

    def __str__(self) -> str:
        return f"has({self.key})"


@dataclass(frozen=True, slots=True)
class Compare:
    """One label against one value."""

    key: str
    operator: Comparison
    operand: str

    def matches(self, labels: Labels) -> bool | None:
        """A missing label differs from every value, and meets nothing else."""
        value = labels.value(self.key)
        if value is Obscurity.UNKNOWN:
            return None
        if self.operator == "!=":
            return value != self.operand
        return value is not None and _COMPARISONS[self.operator](value, self.operand)

    def __str__(self) -> str:
        return f"{self.key} {self.operator} {_quote(self.operand)}"


@dataclass(frozen=True, slots=True)
class Among:
    """One label against a set of values: ``in`` or ``not in``."""

    key: str
    values: frozenset[str]
    is_negated: bool = False

    def matches(self, labels: Labels) -> bool | None:
        """A missing label is in no set."""
        value = labels.value(self.key)
        if value is Obscurity.UNKNOWN:
            return None
        return (value is not None and value in self.values) != self.is_negated

    def __str__(self) -> str:
        operator = "not in" if self.is_negated else "in"
        return f"{self.key} {operator} {{{', '.join(_quote(value) for value in sorted(self.values))}}}"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: Expression

    def matches(self, labels: Labels) -> bool | None:
        """What cannot be known stays so."""
        answer = self.part.matches(labels)
        return None if answer is None else not answer

    def __str__(self) -> str:
        return f"!{self.part}" if isinstance(self.part, Has | Everything) else f"!({self.part})"


@dataclass(frozen=True, slots=True)
class Both:
    """All of its parts, two at least."""

    parts: tuple[Expression, ...]

    def matches(self, labels: Labels) -> bool | None:
        """One no decides."""
        answer: bool | None = True
        for part in self.parts:
            held = part.matches(labels)
            if held is False:
                return False
            if held is None:
                answer = None
        return answer

    def __str__(self) -> str:
        return " && ".join(f"({part})" if isinstance(part, Both | Either) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    """One of its parts, two at least."""

    parts: tuple[Expression, ...]

    def matches(self, labels: Labels) -> bool | None:
        """One yes decides."""
        answer: bool | None = False
        for part in self.parts:
            held = part.matches(labels)
            if held:
                return True
            if held is None:
                answer = None
        return answer

    def __str__(self) -> str:
        return " || ".join(f"({part})" if isinstance(part, Either) else str(part) for part in self.parts)


ALL = Everything()


def both(parts: Iterator[Expression]) -> Expression:
    """Join what must hold together; nothing asked selects all."""
    asked = tuple(part for part in parts if part != ALL)
    return asked[0] if len(asked) == 1 else Both(asked) if asked else ALL


def translate(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Rebuild a tree with its leaves changed."""
    match expression:
        case Not(part):
            return Not(translate(part, change))
        case Both(parts):
            return Both(tuple(translate(part, change) for part in parts))
        case Either(parts):
            return Either(tuple(translate(part, change) for part in parts))
        case _:
            return change(expression)


def keys(expression: Expression) -> Iterator[str]:
    """Every label that is asked for."""
    match expression:
        case Not(part):
            yield from keys(part)
        case Both(parts) | Either(parts):
            for part in parts:
                yield from keys(part)
        case Has(key) | Compare(key) | Among(key):
            yield key


def _quote(text: str) -> str:
    """The language has no escapes, so that no value holds both kinds of quote."""
    return f'"{text}"' if "'" in text else f"'{text}'"
