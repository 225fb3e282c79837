"""What is known of alerts and silences, and who is to be woken when that changes."""

from collections.abc import Callable, Mapping
from typing import Any

from streams.notice.book import AlertBook
from streams.notice.silence import MAXIMUM_SILENCES, is_silenced

Record = dict[str, Any]


class Notices:
    """One for all stages of a process."""

    def __init__(self) -> None:
        self.book = AlertBook()
        self.silences: dict[str, Record] = {}
        """By id; ended ones too, as long as there is room."""
        self.listeners: list[Callable[[], None]] = []
        """Called when anything has come."""

    def take_alert(self, partition: int, offset: int, key: str, record: Record | None) -> None:
        """Take an alert in, or that it is gone from the topic."""
        self.book.take(partition, offset, key, record)

    def take_silence(self, key: str, record: Record | None) -> None:
        """Take a silence in, or that it is gone from the topic. Beyond the bound, those that end first are dropped."""
        if record is None:
            self.silences.pop(key, None)
            return
        self.silences[record["id"]] = record
        if len(self.silences) > MAXIMUM_SILENCES:
            del self.silences[min(self.silences, key=lambda name: self.silences[name]["ends_at_ns"])]

    def tell(self) -> None:
        """Wake whoever waits."""
        for listener in self.listeners:
            listener()

    def is_silenced(self, alert: Mapping[str, Any], now_ns: int) -> bool:
        """Whether an alert is held back at ``now_ns``."""
        return is_silenced(self.silences.values(), alert, now_ns)
