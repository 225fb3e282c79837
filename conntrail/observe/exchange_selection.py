"""The options that ask for names, DNS and HTTP as conditions, and of which types a filter can select anything."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from conntrail.observe.condition import AnyCondition, Condition, FilterError
from conntrail.observe.number import Within, statuses
from conntrail.observe.path import PathLike, paths

EXCHANGE_FILTERS: Final = ("fqdn", "to_fqdn", "http_method", "http_path", "http_status", "dns_query", "dns_rcode")
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
RESPONSE_CODES: Final = ("NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "TIMEOUT")
"""The usual ones, of which a shell completes."""
_CALLED: Final = ("destination.domain", "url.domain", "tls.client.server_name")
_ASKED: Final = "dns.question.name"
_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "verdict": ("flow",),
    "http_method": ("l7",),
    "http_path": ("l7",),
    "http_status": ("l7", "audit"),
    "dns_query": ("dns",),
    "dns_rcode": ("dns",),
}
"""Of filters of few types, the one that is shown when none is asked for first."""


def exchange_conditions(values: Mapping[str, Sequence[str]]) -> list[AnyCondition]:
    """All that must hold. Raises FilterError when a value cannot be understood."""
    found: list[AnyCondition] = [
        Condition(fields, tuple(map(_bare, texts)), "folded")
        for name, fields in (
            ("fqdn", (*_CALLED, _ASKED)),
            ("to_fqdn", _CALLED),
            ("http_method", ("http.request.method",)),
            ("dns_query", (_ASKED,)),
            ("dns_rcode", ("dns.response_code",)),
        )
        if (texts := values.get(name, ()))
    ]
    if texts := values.get("http_path", ()):
        found.append(PathLike(paths(texts)))
    if texts := values.get("http_status", ()):
        found.append(Within(("http.response.status_code",), statuses(texts)))
    return found


def types_of(asked: Sequence[str], filters: Iterable[str]) -> list[str]:
    """Types to show: those asked for, else those that the filters are of, else flows. Raises FilterError."""
    of_few = {name: _TYPES[name] for name in filters if name in _TYPES}
    for name, types in of_few.items():
        if set(asked) - set(types):
            raise FilterError(f"--{name.replace('_', '-')} is of --type {' or '.join(types)} alone: leave others away")
    if asked or not of_few:
        return list(dict.fromkeys(map(str, asked))) or ["flow"]
    first = list(dict.fromkeys(types[0] for types in of_few.values()))
    if len(first) > 1:
        names = " and ".join(f"--{name.replace('_', '-')}" for name in of_few)
        raise FilterError(f"{names} are of different types, so that nothing has them all: leave some away")
    return first


def _bare(name: str) -> str:
    """Names are told without the dot of the root."""
    return name.removesuffix(".")
