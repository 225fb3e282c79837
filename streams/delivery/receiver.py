"""Receivers as their TOML file names them: what each is, and which alerts it gets. Secrets are given by reference."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from runtime.unit import Seconds
from streams.notice.selection import Selection, SelectionError, at_least, parse_selection

Kind = Literal["alertmanager", "slack", "pagerduty", "cloudevents", "json"]
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MAXIMUM_RECEIVERS: Final = 32
"""Each has a task of its own and labels in the metrics."""
_PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
_NEEDS_SECRET: Final = ("pagerduty",)


class ReceiverError(ValueError):
    """The file of receivers is of no use; the message names the receiver, if it is one's, and what is expected."""

    def __init__(self, what: str, receiver: str = "") -> None:
        super().__init__(f"receiver {receiver[:40]}: {what}" if receiver else what)
        self.receiver = receiver


class ReceiverEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table ``[receivers.NAME]``."""

    kind: Kind
    url: str = ""
    """Of the API; of an Alertmanager its base. Empty for PagerDuty's own, or when it is a secret as Slack's are."""
    url_file: str = ""
    """File that holds the URL."""
    url_env: str = ""
    """Variable that holds it."""
    secret_file: str = ""
    """File that holds the secret: PagerDuty's routing key, the key of ``json`` signatures, else a bearer token."""
    secret_env: str = ""
    """Variable that holds it."""
    severity: str = "low"
    """This and those above."""
    namespaces: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    updates: bool | None = None
    """Whether more than beginning and end is told; not to people (Slack), unless it is asked for."""
    mode: Literal["structured", "binary"] = "structured"
    """Of CloudEvents."""
    link: str = ""
    """Where people read on; ``{id}`` stands for the alert's id."""
    ca_certs: str = ""
    """PEM file of the authorities that may have signed its certificate; empty means the system's."""
    timeout: Seconds = Seconds(10.0)
    """Of one request."""
    give_up: Seconds = Seconds(3600.0)
    """After so long an alert that is not taken goes to the dead letters."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One that alerts are sent to."""

    name: str
    entry: ReceiverEntry
    url: str
    secret: str
    selection: Selection

    def __repr__(self) -> str:
        """Without what is secret; the URL may be."""
        return f"Receiver({self.name!r}, {self.entry.kind!r})"

    @property
    def sends_updates(self) -> bool:
        """Whether more than beginning and end is told."""
        return self.entry.kind != "slack" if self.entry.updates is None else self.entry.updates


def parse_entries(document: Mapping[str, Any]) -> dict[str, ReceiverEntry]:
    """Of the file. Raises ReceiverError."""
    unknown = sorted(set(document) - {"receivers"})
    if unknown:
        raise ReceiverError(f"unknown table {unknown[0][:40]!r}: expected [receivers.NAME]")
    found = document.get("receivers", {})
    if not isinstance(found, Mapping) or len(found) > _MAXIMUM_RECEIVERS:
        raise ReceiverError(f"expected up to {_MAXIMUM_RECEIVERS} tables [receivers.NAME]")
    return {name: _entry(name, value) for name, value in found.items()}


def line_of(text: str, receiver: str) -> int:
    """Where a receiver's table begins in the file, from 1; 0 where that is not to be seen."""
    header = re.compile(rf"""\s*\[\s*receivers\s*\.\s*["']?{re.escape(receiver)}["']?\s*\]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if header.match(line)), 0)


def build_receiver(name: str, entry: ReceiverEntry, url: str, secret: str) -> Receiver:
    """With what the references held. Raises ReceiverError; never repeats a secret."""
    url = url or (_PAGERDUTY if entry.kind == "pagerduty" else "")
    if not _is_url(url):
        raise ReceiverError("url: expected http://… or https://…, without a name or password in it", name)
    if entry.kind in _NEEDS_SECRET and not secret:
        raise ReceiverError(f"{entry.kind} needs secret_file or secret_env", name)
    try:
        wanted = parse_selection(
            [("namespace", ",".join(entry.namespaces)), ("rule", ",".join(entry.rules)),
             ("category", ",".join(entry.categories)), ("severity", ",".join(at_least(entry.severity)))]
        )  # fmt: skip
    except SelectionError as error:
        raise ReceiverError(str(error), name) from error
    return Receiver(name, entry, url, secret, wanted)


def _entry(name: str, value: Any) -> ReceiverEntry:
    if not _NAME.fullmatch(name):
        raise ReceiverError("a name has lower case letters, digits and hyphens, 40 at most", name)
    try:
        entry = msgspec.convert(value, ReceiverEntry, dec_hook=_convert)
    except msgspec.ValidationError as error:
        raise ReceiverError(str(error), name) from None
    for group in (("url", "url_file", "url_env"), ("secret_file", "secret_env")):
        if sum(bool(getattr(entry, field)) for field in group) > 1:
            raise ReceiverError(f"give only one of {', '.join(group)}", name)
    if entry.timeout <= 0 or entry.give_up <= 0:
        raise ReceiverError("timeout and give_up must be longer than nothing", name)
    return entry


def _convert(kind: type, value: object) -> object:
    if kind is Seconds:
        return Seconds.parse(str(value))
    raise NotImplementedError(kind)


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.password and parts.port != 0
    except ValueError:
        return False
