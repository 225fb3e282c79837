"""What is said to a schema registry and what its answers mean; knows nothing of connections."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import fastavro

from runtime.settings import SettingsError
from schemas.errors import DecodeError, RegistryError
from schemas.schema import Schema

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_URL_SETTING = "CONNTRAIL_SCHEMA_REGISTRY__URL"
_LARGEST_ID = 2**31 - 1
_SHOWN_CHARACTERS = 300
_OK = 200
_NOT_FOUND = 404
_CONFLICT = 409
_DENIED = (401, 403)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where one server of the registry is."""

    is_encrypted: bool
    host: str
    port: int
    path: str
    """Before every path of the interface; without a slash at its end."""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Question:
    """One request."""

    method: str
    path: str
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, of whatever status."""

    status: int
    body: bytes

    @property
    def is_passing(self) -> bool:
        """Whether the same question may be answered otherwise later."""
        return self.status in _PASSING

    @property
    def is_missing(self) -> bool:
        """There is no such subject, schema or id."""
        return self.status == _NOT_FOUND


def parse_addresses(urls: str) -> tuple[Address, ...]:
    """Of URLs separated by commas. Raises SettingsError for one that is none; never repeats a password."""
    return tuple(_parse_address(text.strip()) for text in urls.split(",") if text.strip())


def subject_of(topic_name: str) -> str:
    """The subject of a topic's values (TopicNameStrategy)."""
    return f"{topic_name}-value"


def lookup(subject: str, text: str) -> Question:
    """Is this schema a version of the subject, and which id has it? Needs no right to write."""
    return Question("POST", f"/subjects/{quote(subject, safe='')}", _schema_body(text))


def registration(subject: str, text: str) -> Question:
    """Make this schema the subject's next version."""
    return Question("POST", f"/subjects/{quote(subject, safe='')}/versions", _schema_body(text))


def schema_by_id(registry_id: int) -> Question:
    """Which schema has this id?"""
    return Question("GET", f"/schemas/ids/{registry_id}")


def parse_id(answer: Answer, subject: str) -> int:
    """The id in the answer to a look-up or registration. Raises RegistryError, which says what to do."""
    _require_success(answer, subject)
    registry_id = _document(answer).get("id")
    if not isinstance(registry_id, int) or isinstance(registry_id, bool) or not 0 <= registry_id <= _LARGEST_ID:
        raise RegistryError(f"the schema registry gives no id for {subject}: is {_URL_SETTING} right?")
    return registry_id


def parse_schema(answer: Answer, registry_id: int) -> Schema:
    """The schema in the answer to a question by id. Raises RegistryError, or DecodeError when it is of no use."""
    if answer.is_missing:
        raise DecodeError(f"the schema registry has no schema of id {registry_id}")
    _require_success(answer, f"id {registry_id}")
    document = _document(answer)
    if document.get("schemaType", "AVRO") != "AVRO":
        raise DecodeError(f"the schema registry's id {registry_id} is no Avro schema")
    try:
        parsed = fastavro.parse_schema(json.loads(document["schema"]))
    except Exception as error:
        # fastavro raises whatever the document provokes (KeyError, AttributeError, RecursionError …).
        raise DecodeError(f"the schema registry's id {registry_id} is of no use: {error!r:.200}") from error
    if not isinstance(parsed, dict):
        raise DecodeError(f"the schema registry's id {registry_id} is no record")
    return parsed


def _schema_body(text: str) -> bytes:
    return json.dumps({"schema": text}).encode()


def _require_success(answer: Answer, what: str) -> None:
    if answer.status == _OK:
        return
    reason = f"the schema registry refuses {what} ({answer.status}{_reason(answer)})"
    if answer.status in _DENIED:
        raise RegistryError(f"{reason}: check CONNTRAIL_SCHEMA_REGISTRY__USERNAME and its rights")
    if answer.status == _CONFLICT:
        raise RegistryError(f"{reason}: its compatibility level forbids this release's schema; set it to FULL or lower")
    raise RegistryError(f"{reason}: is {_URL_SETTING} right?")


def _reason(answer: Answer) -> str:
    """The registry's own words, on one line."""
    try:
        message = _document(answer).get("message")
    except RegistryError:
        return ""
    return f": {' '.join(str(message).split())[:_SHOWN_CHARACTERS]}" if message else ""


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise RegistryError(f"what answers is no schema registry: is {_URL_SETTING} right?")
    return document


def _parse_address(url: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.username or parts.password:
        raise SettingsError(
            f"{_URL_SETTING}: name and password belong in CONNTRAIL_SCHEMA_REGISTRY__USERNAME, __PASSWORD"
        )
    if parts.scheme not in _PORTS or not host:
        raise SettingsError(f"{_URL_SETTING}: expected http://host:port or https://…, got {url[:100]!r}")
    return Address(parts.scheme == "https", host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))
