"""Silences: which alerts are held back from subscribers, and until when."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from streams.alert.counters import AlertCounters
from streams.alert.life.matcher import all_hold
from streams.alert.life.pattern import MAXIMUM_LETTERS
from streams.alert.state.shelf import Shelf

_MAXIMUM_MATCHERS: Final = 16


class SilenceState(msgspec.Struct, array_like=True):
    """A silence as it is kept."""

    ends_at_ns: int
    matchers: dict[str, str]

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether all matchers hold; one without any holds back nothing."""
        return all_hold(self.matchers, record)


class SilenceBook:
    """Silences by id."""

    def __init__(self, shelf: Shelf[SilenceState], cluster: str, counters: AlertCounters) -> None:
        self._shelf = shelf
        self._cluster = cluster
        self._counters = counters
        self._live = {key: silence for key in shelf if (silence := shelf.get(key)) is not None}

    def note(self, record: Mapping[str, Any], now_ns: int) -> bool:
        """Take a Silence record, which replaces an earlier one of its id; False when it is none for us or too large."""
        matchers = record["matchers"]
        is_sound = len(matchers) <= _MAXIMUM_MATCHERS and all(
            len(name) <= MAXIMUM_LETTERS and len(pattern) <= MAXIMUM_LETTERS for name, pattern in matchers.items()
        )
        if record["cluster"] not in ("", self._cluster):
            return False
        key = self._shelf.key(record["id"])
        if not is_sound:
            self._counters.refused_silences += 1
            return False
        if record["ends_at_ns"] <= now_ns:
            return self._drop(key)
        self._live[key] = SilenceState(record["ends_at_ns"], dict(matchers))
        gone = self._shelf.put(key, self._live[key])
        self._counters.refused_silences += len(gone)
        for lost, _ in gone:
            self._drop(lost)
        return True

    def until(self, record: Mapping[str, Any], now_ns: int) -> int | None:
        """The end of the longest silence that holds an alert back; None when none does."""
        live = (silence for silence in self._live.values() if silence.ends_at_ns > now_ns)
        return max((silence.ends_at_ns for silence in live if silence.holds(record)), default=None)

    def end(self, now_ns: int) -> bool:
        """Drop what has ended; whether anything has."""
        ended = [key for key, silence in self._live.items() if silence.ends_at_ns <= now_ns]
        for key in ended:
            self._drop(key)
        return bool(ended)

    def _drop(self, key: str) -> bool:
        self._shelf.drop(key)
        return self._live.pop(key, None) is not None
