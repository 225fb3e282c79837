"""What was found of one thing that Conntrail needs, and what all of them amount to. Pure: facts in, findings out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

State = Literal["ok", "degraded", "missing", "skipped"]
STATES: Final[dict[State, str]] = {
    "ok": "it is there",
    "degraded": "it works, and something is lost: the line says what",
    "missing": "what needs it does not work: the line says what to do",
    "skipped": "it was not looked at: the line says why",
}
Area = Literal["node", "cluster", "kafka", "elasticsearch", "registry"]
AREAS: Final[tuple[Area, ...]] = ("node", "cluster", "kafka", "elasticsearch", "registry")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at."""

    area: Area
    name: str
    lost: str
    """What does not work, or is not seen, without it."""
    remedy: str
    """What an operator does about it."""

    def ok(self, found: str) -> "Finding":
        """It is there; ``found`` says how that was seen."""
        return Finding(self, "ok", found)

    def skipped(self, found: str) -> "Finding":
        """It was not looked at; ``found`` says why."""
        return Finding(self, "skipped", found)

    def degraded(self, found: str, remedy: str = "") -> "Finding":
        """It works in part; ``remedy`` in place of the general one."""
        return Finding(self, "degraded", found, remedy)

    def missing(self, found: str, remedy: str = "") -> "Finding":
        """It is not there; ``remedy`` in place of the general one."""
        return Finding(self, "missing", found, remedy)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a check."""

    check: Check
    state: State
    found: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """For scripts; what is lost and what to do only where something is."""
        told = {"area": self.check.area, "check": self.check.name, "state": self.state, "found": self.found}
        if self.state in ("degraded", "missing"):
            told |= {"lost": self.check.lost, "remedy": self.remedy or self.check.remedy}
        return told

    def row(self) -> tuple[str, str, str, str]:
        """For people: area, check, state, and all that there is to say, a line each."""
        told = self.document()
        lines = [self.found]
        if "lost" in told:
            lines += [f"lost: {told['lost']}", f"do: {told['remedy']}"]
        return self.check.area, self.check.name, self.state, "\n".join(line for line in lines if line)


def is_missing(findings: Iterable[Finding]) -> bool:
    """Whether anything has to be done before Conntrail works: exit status 1."""
    return any(finding.state == "missing" for finding in findings)
