"""Requests to Kibana's API and what its answers say. Pure; remote/writer.py sends them.

Sources: Elastic's API documentation, "Import saved objects" (``POST /api/saved_objects/_import``), "Export saved
objects" and "Get Kibana's current status".
"""

import base64
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from conntrail.errors import CommandError
from conntrail.setup.change import Change
from conntrail.setup.kibana.saved_object import SavedObject
from runtime.settings import KibanaSettings

MINIMUM_VERSION: Final = (8, 10)
_FOLDER: Final = "/api/saved_objects"
_KINDS: Final = {"index-pattern": "data view", "search": "saved search", "dashboard": "dashboard"}
_OVERWRITTEN: Final = "overwritten; keep changes of your own under another name"
_SHOWN_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Address:
    """Where Kibana is."""

    host: str
    port: int
    is_encrypted: bool
    path: str
    """Base path and space, without a slash at the end."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, where a redirection leads, and the body."""

    status: int
    location: str
    body: bytes


def parse_address(settings: KibanaSettings) -> Address:
    """Raise CommandError when the URL is none."""
    parts = urlsplit(settings.url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise CommandError(f"{settings.url} is no URL of Kibana: it reads like https://kibana.example:5601")
    if parts.username or parts.query or parts.fragment:
        raise CommandError(
            "the URL of Kibana holds more than scheme, host, port and base path: name and password are given by "
            "CONNTRAIL_KIBANA__USERNAME and CONNTRAIL_KIBANA__PASSWORD"
        )
    is_encrypted = parts.scheme == "https"
    space = f"/s/{quote(settings.space)}" if settings.space else ""
    return Address(parts.hostname, port or (443 if is_encrypted else 80), is_encrypted, parts.path.rstrip("/") + space)


def headers_of(settings: KibanaSettings) -> dict[str, str]:
    """Of every request. Raises CommandError when two ways to prove who we are are given."""
    headers = {"kbn-xsrf": "conntrail", "accept": "application/json"}
    if settings.api_key and settings.username:
        raise CommandError("set either CONNTRAIL_KIBANA__API_KEY or CONNTRAIL_KIBANA__USERNAME, not both")
    if settings.api_key:
        headers["authorization"] = f"ApiKey {settings.api_key}"
    elif settings.username:
        pair = f"{settings.username}:{settings.password}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return headers


def status_question() -> Question:
    """Which version it is."""
    return Question("GET", "/api/status", {})


def existing_question() -> Question:
    """Objects whose titles may be ours; whose ids are ours is seen in the answer."""
    wanted = {"type": list(_KINDS), "search": "conntrail*", "excludeExportDetails": True}
    return Question("POST", f"{_FOLDER}/_export", {"content-type": "application/json"}, json.dumps(wanted).encode())


def import_question(ndjson: str) -> Question:
    """Objects with the ids in the file are overwritten, no others are touched."""
    boundary = f"conntrail-{uuid.uuid5(uuid.NAMESPACE_URL, ndjson).hex}"
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="conntrail.ndjson"\r\n'
        "content-type: application/ndjson\r\n\r\n"
    )
    body = f"{head}{ndjson}\r\n--{boundary}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return Question("POST", f"{_FOLDER}/_import?overwrite=true&compatibilityMode=true", headers, body)


def check_version(answer: Answer, url: str) -> str:
    """The version in text. Raises CommandError when it is older than what we make."""
    number = str((_object(answer.body).get("version") or {}).get("number", ""))
    found = re.match(r"(\d+)\.(\d+)", number)
    if not found:
        raise CommandError(f"{url} does not say its version as Kibana does: check the URL, and its base path")
    if (int(found[1]), int(found[2])) < MINIMUM_VERSION:
        raise CommandError(f"Kibana {number} at {url} is too old: the objects are made for 8.10 and later")
    return number


def check_status(answer: Answer, url: str) -> None:
    """Raise CommandError with what to do when Kibana refuses."""
    if answer.status < 300:  # noqa: PLR2004 - RFC 9110, 15.3: successful
        return
    said = str(_object(answer.body).get("message", ""))[:_SHOWN_CHARACTERS]
    advice = {
        401: "check CONNTRAIL_KIBANA__API_KEY, or __USERNAME and __PASSWORD",
        403: "the API key or user needs the Kibana privilege for Saved Objects Management in this space",
        404: "check the URL with its base path, and that the space exists (CONNTRAIL_KIBANA__SPACE)",
        413: "raise savedObjects.maxImportPayloadBytes in kibana.yml, or let a proxy before it take 1 MiB",
        503: "it is not ready; try again in a minute",
    }.get(answer.status, "")
    if answer.location:
        advice = f"it sends on to {answer.location[:_SHOWN_CHARACTERS]}: give the URL with that base path"
    parts = [f"Kibana at {url} refuses ({answer.status}{', ' + said if said else ''})", advice]
    raise CommandError(": ".join(part for part in parts if part))


def known_ids(answer: Answer) -> set[tuple[str, str]]:
    """Type and id of each object in an export."""
    found = (_object(line) for line in answer.body.splitlines())
    return {(str(one.get("type")), str(one.get("id"))) for one in found if "id" in one}


def planned(objects: Iterable[SavedObject], known: set[tuple[str, str]], space: str) -> list[Change]:
    """What an import does."""
    ids = [(one.kind, one.in_space(space)) for one in objects]
    return [
        Change("update", _KINDS[kind], name, _OVERWRITTEN)
        if (kind, name) in known
        else Change("create", _KINDS[kind], name)
        for kind, name in ids
    ]


def check_imported(answer: Answer, count: int, url: str) -> None:
    """Raise CommandError, naming the first object that was not taken."""
    said = _object(answer.body)
    faults = said.get("errors") or []
    if faults:
        first = faults[0] if isinstance(faults[0], dict) else {}
        error = first.get("error") or {}
        missing = ", ".join(f"{one.get('type')} {one.get('id')}" for one in error.get("references") or [])
        reason = str(error.get("message") or error.get("type") or "no reason given")[:_SHOWN_CHARACTERS]
        raise CommandError(
            f"Kibana at {url} took {said.get('successCount', 0)} of {count} objects; {first.get('type')} "
            f"{first.get('id')}: {reason}{' (missing: ' + missing + ')' if missing else ''}"
        )
    moved = [one for one in said.get("successResults") or [] if one.get("destinationId")]
    if moved:
        raise CommandError(
            f"Kibana at {url} gave {len(moved)} objects other ids, {moved[0].get('id')} among them, since another "
            "space has these: remove them there, or import into that space"
        )
    if not said.get("success") or said.get("successCount") != count:
        raise CommandError(
            f"Kibana at {url} took {said.get('successCount', 0)} of {count} objects and does not say why"
        )


def _object(body: bytes) -> dict[str, Any]:
    """A JSON object, or an empty one for anything else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
