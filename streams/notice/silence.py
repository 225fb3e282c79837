"""Silences: what they hold back, how people write them, and which of them last."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from streams.alert.life.matcher import all_hold
from streams.alert.life.pattern import MAXIMUM_LETTERS

Record = dict[str, Any]
_NS_PER_SECOND: Final = 1_000_000_000
MAXIMUM_SECONDS: Final = 30 * 86_400
"""The topic keeps nothing for longer, so a longer silence would end without a word."""
MAXIMUM_SILENCES: Final = 1_000
_MAXIMUM_MATCHERS: Final = 16
_MAXIMUM_COMMENT: Final = 1_000


class SilenceError(ValueError):
    """A silence cannot be made; the message says what is expected."""


def holds_back(silence: Mapping[str, Any], alert: Mapping[str, Any], at_ns: int) -> bool:
    """Whether a silence lasts at ``at_ns`` and all its matchers hold for an alert; one without matchers holds none."""
    return silence["created_at_ns"] <= at_ns < silence["ends_at_ns"] and all_hold(silence["matchers"], alert)


def is_silenced(silences: Iterable[Mapping[str, Any]], alert: Mapping[str, Any], now_ns: int) -> bool:
    """By any of them, or as whoever wrote the alert knew; of an alert that is over, whether it was so at its end."""
    at_ns = min(alert["resolved_at_ns"] or now_ns, now_ns)
    return (alert["silenced_until_ns"] or 0) > at_ns or any(holds_back(one, alert, at_ns) for one in silences)


def make_silence(silence_id: str, cluster: str, wish: Mapping[str, Any], now_ns: int) -> Record:
    """A record of what is wished: ``matchers``, ``duration_seconds``, ``comment`` and ``by``. Raises SilenceError."""
    unknown = sorted(set(wish) - {"matchers", "duration_seconds", "comment", "by"})
    if unknown:
        raise SilenceError(f"unknown field {unknown[0][:40]!r}: there are matchers, duration_seconds, comment and by")
    return {
        "id": silence_id,
        "cluster": cluster,
        "matchers": _matchers(wish.get("matchers")),
        "comment": _text(wish, "comment"),
        "by": _text(wish, "by"),
        "created_at_ns": now_ns,
        "ends_at_ns": now_ns + int(_seconds(wish.get("duration_seconds")) * _NS_PER_SECOND),
    }


def ended(silence: Mapping[str, Any], now_ns: int) -> Record:
    """The same silence, over at ``now_ns``; kept, so that people see that it was there."""
    return {**silence, "ends_at_ns": min(now_ns, silence["ends_at_ns"])}


def _matchers(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= _MAXIMUM_MATCHERS:
        raise SilenceError(f"matchers: expected 1 to {_MAXIMUM_MATCHERS} names, each with a pattern")
    for name, pattern in value.items():
        if not isinstance(name, str) or not isinstance(pattern, str) or not name or not pattern:
            raise SilenceError("matchers: each needs a name and a pattern that are text")
        if max(len(name), len(pattern)) > MAXIMUM_LETTERS:
            raise SilenceError(f"matchers: at most {MAXIMUM_LETTERS} letters each")
    if all(set(pattern) <= set("*?") for pattern in value.values()):
        raise SilenceError("matchers: one at least must be more than * and ?, else everything would be silent")
    return dict(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= MAXIMUM_SECONDS:
        raise SilenceError(f"duration_seconds: expected a number from 1 to {MAXIMUM_SECONDS}")
    return float(value)


def _text(wish: Mapping[str, Any], name: str) -> str:
    value = wish.get(name, "")
    if not isinstance(value, str) or len(value) > _MAXIMUM_COMMENT:
        raise SilenceError(f"{name}: expected text of {_MAXIMUM_COMMENT} letters at most")
    return value
