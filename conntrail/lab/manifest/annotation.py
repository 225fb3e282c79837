"""What the lab's own annotations may say."""

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL, EVERY, SERVE
from conntrail.lab.manifest.schema import Call, Number
from conntrail.lab.policy.annotation import DENY
from conntrail.text import printable

_SERVED: Final = ("http", "tls", "tcp", "udp", "dns")
_LEAST_SECONDS: Final = 1.0


def check_annotations(place: str, field: str, annotations: Mapping[str, str]) -> None:
    """Raises CommandError."""
    for name, check in ((CALL, _check_calls), (SERVE, _check_served), (EVERY, _check_every), (DENY, _check_deny)):
        if fault := check(annotations.get(name, "")):
            raise CommandError(f"{place}: {field}[{name}]: {printable(fault)}")


def _check_calls(text: str) -> str:
    try:
        calls = msgspec.json.decode(text or "[]", type=list[Call])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return " ".join(str(error).split())
    for call in calls:
        if bool(call.to) == bool(call.resolve):
            return "expected one of to and resolve"
        if call.to.startswith("pod/") and call.to.count("/") != 2:  # noqa: PLR2004 - pod/namespace/workload
            return f"{call.to}: a pod is called as pod/namespace/workload"
        if not math.isfinite(call.every):
            return "every: expected a number of seconds"
    return ""


def _check_served(text: str) -> str:
    for spec in filter(None, (part.strip() for part in text.split(","))):
        kind, _, port = spec.partition(":")
        try:
            msgspec.convert(port, Number, strict=False)
        except msgspec.ValidationError:
            return f"{spec}: expected kind:port"
        if kind not in _SERVED:
            return f"{spec}: expected one of {', '.join(_SERVED)}"
    return ""


def _check_every(text: str) -> str:
    try:
        seconds = float(text or _LEAST_SECONDS)
    except ValueError:
        seconds = math.nan
    return "" if _LEAST_SECONDS <= seconds < math.inf else f"{text}: expected at least {_LEAST_SECONDS:g} seconds"


def _check_deny(text: str) -> str:
    return "" if text in ("", "reset", "drop") else f"{text}: expected drop or reset"
