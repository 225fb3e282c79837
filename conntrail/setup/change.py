"""What setup does or finds, one line each."""

from dataclasses import dataclass
from typing import Literal

Act = Literal["create", "update", "keep", "differs", "skip"]
COLUMNS = ("act", "kind", "name", "detail")


@dataclass(frozen=True, slots=True)
class Change:
    """One object, and what becomes of it."""

    act: Act
    """``differs``: it is there, is not as we would make it, and is left alone."""
    kind: str
    name: str
    detail: str = ""

    def document(self) -> dict[str, str]:
        """For scripts."""
        return {name: getattr(self, name) for name in COLUMNS}
