"""A condition as a tree, and whether it holds for the measures of a subject."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, Protocol

Value = str | float | bool
Facts = Mapping[str, Value]
"""Measures by name. A measure that is not known is not there, and no comparison with it holds."""
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]
COMPARISONS: Final[Mapping[str, Callable[[Value, Value], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Condition(Protocol):
    """A condition, or a part of one. ``str`` writes it so that it is read back as the same tree."""

    def holds(self, facts: Facts) -> bool:
        """Tell whether it holds."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A measure that is yes or no."""

    name: str

    def holds(self, facts: Facts) -> bool:
        """What is not known is no."""
        return facts.get(self.name) is True

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Compare:
    """A measure against a value."""

    name: str
    comparison: str
    operand: Value

    def holds(self, facts: Facts) -> bool:
        """What is not known meets nothing, ``!=`` included."""
        value = facts.get(self.name)
        return value is not None and COMPARISONS[self.comparison](value, self.operand)

    def __str__(self) -> str:
        return f"{self.name} {self.comparison} {quoted(self.operand)}"


@dataclass(frozen=True, slots=True)
class Among:
    """A measure against a list of values."""

    name: str
    values: tuple[Value, ...]

    def holds(self, facts: Facts) -> bool:
        """What is not known is in no list."""
        return facts.get(self.name) in self.values

    def __str__(self) -> str:
        return f"{self.name} in [{', '.join(map(quoted, self.values))}]"


@dataclass(frozen=True, slots=True)
class Like:
    """A text against a pattern of a shell."""

    name: str
    pattern: str

    def holds(self, facts: Facts) -> bool:
        """What is not known is like nothing."""
        value = facts.get(self.name)
        return isinstance(value, str) and fnmatchcase(value, self.pattern.replace("[", "[[]"))

    def __str__(self) -> str:
        return f"{self.name} like {quoted(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: Condition

    def holds(self, facts: Facts) -> bool:
        """Of what is not known, too."""
        return not self.part.holds(facts)

    def __str__(self) -> str:
        return f"not {_enclosed(self.part)}"


@dataclass(frozen=True, slots=True)
class All:
    """Every part."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        """From the first part on, up to one that does not hold."""
        for part in self.parts:  # noqa: SIM110 - asked of every record, and a generator costs twice that
            if not part.holds(facts):
                return False
        return True

    def __str__(self) -> str:
        return " and ".join(map(_enclosed, self.parts))


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        """From the first part on, up to one that holds."""
        for part in self.parts:  # noqa: SIM110 - likewise
            if part.holds(facts):
                return True
        return False

    def __str__(self) -> str:
        return " or ".join(map(_enclosed, self.parts))


def quoted(value: Value) -> str:
    """A value as a condition writes it."""
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return format(value, "f").rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _enclosed(part: Condition) -> str:
    return f"({part})" if isinstance(part, All | Any | Not) else str(part)
