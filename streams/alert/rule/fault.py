"""What is wrong with a file of rules, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake. ``line`` from 1; 0 where the whole file is meant."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class RuleError(ValueError):
    """A part of a rule says what cannot be; the message says why."""
