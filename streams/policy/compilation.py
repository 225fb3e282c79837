"""What compiling a policy collects on its way: the faults, each of which keeps to the part that it is found in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from streams.policy.condition import Condition, Unknown
from streams.policy.fault import PolicyFault

_Value = TypeVar("_Value")
Parse = Callable[[object, str], Iterable[Condition]]
"""From an untrusted value and its path to alternatives; raises PolicyFault."""


@dataclass(slots=True)
class Compilation:
    """Collects faults on the way down, so that one of them does not hide the rest."""

    namespace: str
    faults: list[str] = field(default_factory=list)

    def attempt(self, parse: Callable[[], _Value], instead: _Value) -> _Value:
        """Parse, or note the fault and take what stands in."""
        try:
            return parse()
        except PolicyFault as fault:
            self.faults.append(str(fault))
            return instead

    def alternatives(self, parse: Parse, items: Sequence[object], where: str) -> tuple[Condition, ...]:
        """Compile a list whose items are alternatives; one that cannot be read may hold or not."""
        found: list[Condition] = []
        for index, item in enumerate(items):
            try:
                found.extend(parse(item, f"{where}[{index}]"))
            except PolicyFault as fault:
                self.faults.append(str(fault))
                found.append(Unknown(str(fault)))
        return tuple(found)
