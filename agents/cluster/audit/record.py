"""Audit events as AuditEvent records (schemas/avro/audit_event.avsc), and as requests that changes are joined with."""

import ipaddress
from typing import Any, Final

from agents.cluster.audit.parse import Event, ObjectReference, ResponseStatus
from agents.cluster.change.attribution import Request
from agents.cluster.record.kind import kind_of_resource
from agents.cluster.record.slim import Record, key_of
from agents.cluster.record.value import instant
from agents.cluster.touch import Touched, touched_fields

_MAXIMUM_TEXT: Final = 256
_MAXIMUM_NAME: Final = 512
_MAXIMUM_GROUPS: Final = 32
_MAXIMUM_ADDRESSES: Final = 8
_MAXIMUM_CODE: Final = 999
_GOOD: Final = range(200, 300)
_DECISION: Final = "authorization.k8s.io/decision"
_JOINED: Final = frozenset({"", "scale"})
"""Subresources whose writes change what we tell of."""


def title_of_object(event: Event) -> str:
    """Title of the kind of its object, or the resource's name when it is none that we follow; empty without one."""
    reference = event.objectRef or ObjectReference()
    kind = kind_of_resource(reference.apiGroup, reference.resource)
    if kind is not None:
        return kind.title
    return "Endpoints" if reference.resource == "endpoints" else _cut(reference.resource)


def audit_record(cluster: str, event: Event, touched: Touched, now_ns: int) -> Record:
    """The record; an event without a usable time has ``now_ns``."""
    reference = event.objectRef or ObjectReference()
    kind = kind_of_resource(reference.apiGroup, reference.resource)
    code = (event.responseStatus or ResponseStatus()).code
    addresses = [_address(one) for one in (event.sourceIPs or [])[:_MAXIMUM_ADDRESSES]]
    return {
        "cluster": cluster,
        "audit_id": _cut(event.auditID),
        "stage": _cut(event.stage),
        "verb": _cut(event.verb),
        "user": _cut(user_of(event), _MAXIMUM_NAME),
        "groups": [_cut(group) for group in (event.user.groups or [])[:_MAXIMUM_GROUPS]],
        "source_addresses": [one for one in addresses if one],
        "user_agent": _cut(event.userAgent),
        "api_group": _cut(reference.apiGroup),
        "resource": _cut(reference.resource),
        "subresource": _cut(reference.subresource),
        "namespace": _cut(reference.namespace),
        "name": _cut(reference.name, _MAXIMUM_NAME),
        "object_uid": _cut(reference.uid),
        "status_code": code if 0 <= code <= _MAXIMUM_CODE else 0,
        "decision": _cut((event.annotations or {}).get(_DECISION, "")),
        "received_at_ns": _received_at(event) or now_ns,
        "kind": "" if kind is None else kind.name,
        **touched_fields(touched),
    }


def request_of(event: Event) -> Request | None:
    """What a change may have been made by; None for what changed nothing."""
    reference = event.objectRef
    code = (event.responseStatus or ResponseStatus()).code
    if reference is None or not reference.name or code not in _GOOD or reference.subresource not in _JOINED:
        return None
    kind = kind_of_resource(reference.apiGroup, reference.resource)
    received = _received_at(event)
    if kind is None or not received:
        return None
    # A namespace and what is in it are named alike: of a namespace itself the object has none.
    namespace = "" if kind.name == "Namespace" else reference.namespace
    return Request(key_of(kind.title, namespace, reference.name), event.verb, _cut(user_of(event)), received)


def user_of(event: Event) -> str:
    """Who acted: of an impersonation the one who is meant, named with the one who did it."""
    meant = event.impersonatedUser
    if meant is None or not meant.username:
        return event.user.username
    return f"{meant.username} (by {event.user.username})"


def _received_at(event: Event) -> int:
    at: dict[str, Any] = {"at": event.requestReceivedTimestamp}
    return instant(at, "at")


def _address(text: str) -> str:
    """Elasticsearch takes no other text as an address."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def _cut(text: str, most: int = _MAXIMUM_TEXT) -> str:
    return text[:most]
