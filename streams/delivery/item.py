"""An alert, and what is to be said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["open", "update", "resolve"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to say."""

    alert: Mapping[str, Any]
    action: Action
