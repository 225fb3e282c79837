"""What was asked of the lab, as the audit log of an API server tells it: audit.k8s.io/v1, level Metadata.

The lab has no requests: a command on manifests counts as those that kubectl would make of it, one an object.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Literal

from conntrail.lab.change import key_of
from conntrail.lab.cluster import Object
from conntrail.lab.kind import resource_of

Verb = Literal["create", "patch", "delete"]
_AGENT: Final = "conntrail-lab"
_FROM: Final = "127.0.0.1"
"""Who changes the lab is on its machine."""


@dataclass(frozen=True, slots=True)
class Request:
    """One on one object."""

    verb: Verb
    value: Object
    code: HTTPStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """By whom requests were made, and when."""

    user: str
    received_at: datetime
    answered_at: datetime


def apply_requests(given: Iterable[Object], applied: Iterable[Object]) -> Iterator[Request]:
    """As of ``kubectl apply``. ``given``: the objects before."""
    known = {key_of(value) for value in given}
    for value in applied:
        is_known = key_of(value) in known
        yield Request("patch", value, HTTPStatus.OK) if is_known else Request("create", value, HTTPStatus.CREATED)


def delete_requests(given: Iterable[Object], deleted: Iterable[Object]) -> Iterator[Request]:
    """As of ``kubectl delete``. ``given``: the objects before."""
    known = {key_of(value) for value in given}
    for value in deleted:
        yield Request("delete", value, HTTPStatus.OK if key_of(value) in known else HTTPStatus.NOT_FOUND)


def audit_event(request: Request, asked: Asked, audit_id: str) -> dict[str, Any]:
    """The event of a request that is answered (apiserver, pkg/apis/audit/v1/types.go). Instants are UTC."""
    value, metadata = request.value, request.value["metadata"]
    group, _, version = value["apiVersion"].rpartition("/")
    resource, namespace, name = resource_of(value["kind"]), metadata.get("namespace", ""), metadata["name"]
    parts = [
        *(("apis", group) if group else ("api",)),
        version,
        *(("namespaces", namespace) if namespace else ()),
        resource,
        *(() if request.verb == "create" else (name,)),
    ]
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": audit_id,
        "stage": "ResponseComplete",
        "requestURI": f"/{'/'.join(parts)}",
        "verb": request.verb,
        "user": {"username": asked.user, "groups": ["system:authenticated"]},
        "sourceIPs": [_FROM],
        "userAgent": _AGENT,
        "objectRef": {
            "resource": resource,
            **({"namespace": namespace} if namespace else {}),
            "name": name,
            **({"apiGroup": group} if group else {}),
            "apiVersion": version,
        },
        "responseStatus": _status(request.code),
        "requestReceivedTimestamp": _instant(asked.received_at),
        "stageTimestamp": _instant(asked.answered_at),
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
    }


def _status(code: HTTPStatus) -> dict[str, Any]:
    failure = {} if code < HTTPStatus.BAD_REQUEST else {"status": "Failure", "reason": code.phrase.replace(" ", "")}
    return {"metadata": {}, **failure, "code": int(code)}


def _instant(at: datetime) -> str:
    """Kubernetes' MicroTime."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
