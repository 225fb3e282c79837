"""The JSON of alerts and silences: the fields of their topics, with times as RFC 3339 in UTC instead of Unix time."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

Record = Mapping[str, Any]
_NS_PER_SECOND: Final = 1_000_000_000
_NS_PER_MICROSECOND: Final = 1_000
_SUFFIX: Final = "_ns"


def alert_document(record: Record) -> dict[str, Any]:
    """An Alert for subscribers: ``started_at_ns`` becomes ``started_at``, an unknown time null."""
    return _document(record)


def silence_document(record: Record, now_ns: int) -> dict[str, Any]:
    """A Silence, and whether it still holds alerts back at ``now_ns`` (Unix time)."""
    return {**_document(record), "is_active": record["ends_at_ns"] > now_ns}


def text_of(document: Mapping[str, Any]) -> str:
    """JSON on one line, so that it fits a line of an event stream."""
    return json.dumps(document, separators=(",", ":"))


def rfc3339(at_ns: int) -> str:
    """An instant (Unix time, ns) to the microsecond; every value of 64 bits is one."""
    seconds, rest = divmod(at_ns, _NS_PER_SECOND)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // _NS_PER_MICROSECOND)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _document(record: Record) -> dict[str, Any]:
    return {name.removesuffix(_SUFFIX): _value(name, value) for name, value in record.items()}


def _value(name: str, value: Any) -> Any:
    if name.endswith(_SUFFIX):
        return rfc3339(value) if value else None
    if isinstance(value, list):
        return [_document(item) if isinstance(item, Mapping) else item for item in value]
    return value
