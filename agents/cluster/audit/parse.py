"""Audit events of the API server (audit.k8s.io/v1) out of JSON, hostile or not.

Only the fields named here are ever decoded: request and response bodies are passed over byte by byte, so nothing of
them can be kept. Errors name places and types, never contents.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

_MAXIMUM_EVENTS: Final = 10_000
"""An API server sends 400 a request by default."""
_GROUP: Final = "audit.k8s.io/"


class ParseError(ValueError):
    """Not what an API server sends; the message says where, without contents."""


class User(msgspec.Struct, frozen=True):
    """Who."""

    username: str = ""
    groups: list[str] | None = None


class ObjectReference(msgspec.Struct, frozen=True):
    """Which object; a create without a name of its own lacks the name."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    apiGroup: str = ""  # noqa: N815 - the API's name
    subresource: str = ""


class ResponseStatus(msgspec.Struct, frozen=True):
    """How it ended."""

    code: int = 0


class Event(msgspec.Struct, frozen=True):
    """One audit event, without anything that was sent or answered."""

    auditID: str  # noqa: N815 - the API's name
    stage: str
    verb: str
    user: User = User()
    impersonatedUser: User | None = None  # noqa: N815 - the API's name
    sourceIPs: list[str] | None = None  # noqa: N815 - the API's name
    userAgent: str = ""  # noqa: N815 - the API's name
    objectRef: ObjectReference | None = None  # noqa: N815 - the API's name
    responseStatus: ResponseStatus | None = None  # noqa: N815 - the API's name
    requestReceivedTimestamp: str = ""  # noqa: N815 - the API's name
    annotations: dict[str, str] | None = None


class _List(msgspec.Struct, frozen=True):
    kind: str
    apiVersion: str  # noqa: N815 - the API's name
    items: list[msgspec.Raw]


class _Line(Event, frozen=True, kw_only=True):
    kind: str
    apiVersion: str  # noqa: N815 - the API's name


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a body held."""

    events: list[Event]
    faults: list[str]
    """Of its items that are none."""


_lists: Final = msgspec.json.Decoder(_List)
_events: Final = msgspec.json.Decoder(Event)
_lines: Final = msgspec.json.Decoder(_Line)


def parse_list(body: bytes) -> Parsed:
    """An EventList, as the webhook backend posts it. Raises ParseError when the whole is none."""
    try:
        found = _lists.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ParseError(_words(error)) from error
    if found.kind != "EventList" or not found.apiVersion.startswith(_GROUP):
        raise ParseError(f"not an EventList of {_GROUP}…")
    if len(found.items) > _MAXIMUM_EVENTS:
        raise ParseError(f"{len(found.items)} events, more than {_MAXIMUM_EVENTS}")
    events, faults = [], []
    for number, item in enumerate(found.items):
        try:
            events.append(_events.decode(item))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            faults.append(f"items[{number}]: {_words(error)}")
    return Parsed(events, faults)


def parse_line(line: bytes) -> Event:
    """One line of an audit log. Raises ParseError when it is none."""
    try:
        found = _lines.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ParseError(_words(error)) from error
    if found.kind != "Event" or not found.apiVersion.startswith(_GROUP):
        raise ParseError(f"not an Event of {_GROUP}…")
    return found


def _words(error: Exception) -> str:
    """Words of msgspec's name paths and types; keys of theirs that are data read ``[...]``."""
    if isinstance(error, msgspec.DecodeError):
        return str(error)[:300]
    return "nested too deep" if isinstance(error, RecursionError) else "not UTF-8"
