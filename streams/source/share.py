"""When a worker stops: most of what came lately could not be used.

Single bad messages go to the dead letters and are somebody else's fault. If they are the rule, the fault is ours or a
setting's, and going on would empty the topics into the dead letters: better stop, unacknowledged, and say so.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from streams.errors import StreamError

_WINDOW: Final = 200
"""Messages that count: some seconds of a large cluster, some minutes of a small one."""
_MINIMUM_REFUSED: Final = 20
"""Fewer prove nothing, for example right after the start."""
_SHOWN_CHARACTERS: Final = 300


@dataclass(slots=True)
class RefusalShare:
    """Which of the last messages were refused. ``limit``: a share; at 1 nothing is ever too much."""

    topic: str
    limit: float
    _outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _refused: int = 0
    _reason: str = ""

    @property
    def value(self) -> float:
        """Share of the last messages that was refused."""
        return self._refused / len(self._outcomes) if self._outcomes else 0.0

    def accept(self) -> None:
        """Note a message that was used."""
        self._note(is_refused=False)

    def refuse(self, reason: str) -> None:
        """Note a message that could not be used."""
        self._reason = " ".join(reason.split())[:_SHOWN_CHARACTERS]
        self._note(is_refused=True)

    def check(self) -> None:
        """Raise StreamError when the share is over the limit."""
        if self._refused >= _MINIMUM_REFUSED and self.value > self.limit:
            raise StreamError(
                f"{self._refused} of the last {len(self._outcomes)} messages of {self.topic} cannot be used, the last: "
                f"{self._reason}; mend that, or let them go to the dead letters by CONNTRAIL_WORKER__REFUSAL_SHARE=1"
            )

    def _note(self, *, is_refused: bool) -> None:
        if len(self._outcomes) == _WINDOW:
            self._refused -= self._outcomes[0]
        self._outcomes.append(is_refused)
        self._refused += is_refused
