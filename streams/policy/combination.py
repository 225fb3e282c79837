"""Conditions made of conditions, for languages that ask several things of one end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from streams.policy.condition import Condition, holds_any
from streams.policy.question import Direction, Question


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Condition, ...]

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """One no decides."""
        answer: bool | None = True
        for part in self.parts:
            held = part.holds(question, direction)
            if held is False:
                return False
            if held is None:
                answer = None
        return answer


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds; without parts it never does."""

    parts: tuple[Condition, ...]

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """One yes decides."""
        return holds_any(self.parts, question, direction)


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No part holds."""

    parts: tuple[Condition, ...]

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """What cannot be known stays so."""
        held = holds_any(self.parts, question, direction)
        return None if held is None else not held


@dataclass(frozen=True, slots=True)
class AtOwnEnd:
    """What is asked of the end that the policy selects, instead of its peer."""

    parts: tuple[Condition, ...]
    """All of them must hold."""

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """As seen from the other side."""
        return AllOf(self.parts).holds(question, "ingress" if direction == "egress" else "egress")


def leaves(conditions: Iterable[Condition]) -> Iterable[Condition]:
    """Every condition that is not made of others."""
    for condition in conditions:
        if isinstance(condition, AllOf | AnyOf | NoneOf | AtOwnEnd):
            yield from leaves(condition.parts)
        else:
            yield condition


def transform(condition: Condition, change: Callable[[Condition], Condition]) -> Condition:
    """Rebuild a condition with its leaves changed."""
    match condition:
        case AllOf(parts):
            return AllOf(tuple(transform(part, change) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(transform(part, change) for part in parts))
        case NoneOf(parts):
            return NoneOf(tuple(transform(part, change) for part in parts))
        case AtOwnEnd(parts):
            return AtOwnEnd(tuple(transform(part, change) for part in parts))
        case _:
            return change(condition)
