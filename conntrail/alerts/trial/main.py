"""Holds rules against what the topics still hold, as the worker would have: nothing is written, nobody is told."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from conntrail.errors import CommandError
from runtime.settings import Settings
from schemas.registry.reader import RegistryReader
from streams.alert.desk import TOPICS, Desk
from streams.alert.engine import Engine
from streams.alert.rule.builtin import builtin_rules
from streams.alert.rule.reader import read_rules
from streams.alert.rule.rule import Rule
from streams.alert.settings import AlertSettings
from streams.alert.signal.reader import Beginning, SignalReader
from streams.errors import ReadError

_READ_SECONDS: Final = 0.5
_TELL_SECONDS: Final = 3.0
_NS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    alerts: list[dict[str, Any]]
    """The last word on each, those that opened first first."""
    records: int


def chosen_rules(path: str) -> tuple[tuple[Rule, ...], frozenset[str]]:
    """Rules with the built-in ones, and ids of those in the file or directory; of all without one.

    Raises CommandError that names every fault with its line.
    """
    parsed = read_rules(path)
    if parsed.faults:
        raise CommandError("\n".join(str(fault) for fault in parsed.faults))
    known = {rule.id: rule for rule in builtin_rules()}
    own = [rule.id for rule in parsed.rules if known.get(rule.id) != rule]
    return parsed.rules, frozenset(own if path else known)


def try_rules(settings: Settings, rules: Iterable[Rule], since_ns: int, tell: Callable[[str], None]) -> Trial:
    """Read from an instant (Unix, ns) to the end. ``tell``: how far it has come, now and then.

    Raises CommandError when Kafka does not give the records.
    """
    store: dict[str, bytes] = {}
    alert_settings = AlertSettings(cluster=settings.cluster, learning_seconds=0, effect_seconds=settings.alerts.effect)
    desk = Desk(Engine(rules, alert_settings, store), settings.cluster, store)
    reader = SignalReader(settings.kafka, RegistryReader(settings.schema_registry), TOPICS)
    words: dict[str, dict[str, Any]] = {}
    records, told_at = 0, time.monotonic()
    try:
        reader.start({}, Beginning(since_ns))
        while reader.until_ns is not None:
            messages = reader.read(_READ_SECONDS)
            records += len(messages)
            words |= {word["id"]: word for word in desk.take(messages, time.time_ns()).alerts}
            if time.monotonic() - told_at >= _TELL_SECONDS and reader.until_ns:
                told_at = time.monotonic()
                tell(f"{records} records read, {(time.time_ns() - reader.until_ns) // _NS} s to go")
    except ReadError as error:
        raise CommandError(str(error)) from error
    finally:
        reader.close()
    words |= {word["id"]: word for word in desk.advance(time.time_ns())}
    return Trial(sorted(words.values(), key=lambda word: (word["started_at_ns"], word["id"])), records)
