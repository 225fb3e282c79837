"""What happened in the cluster beside its traffic: Kubernetes Events and changes, and who did what by the audit log."""

from typing import Final

from conntrail.observe.condition import values_at
from conntrail.observe.render import Document, clock, text
from conntrail.observe.view.view import View
from schemas.topic import CHANGES, KUBERNETES_AUDIT, KUBERNETES_EVENTS
from streams.index import dataset

_NAMES: Final = ("orchestrator.resource.name", "kubernetes.pod.name", "kubernetes.workload.name")
_KINDS: Final = ("orchestrator.resource.type", "kubernetes.workload.kind")


def _object(document: Document) -> str:
    """``Kind namespace/name`` of what it is about, as far as it is told."""
    kind, name = (next(filter(None, (text(document, path) for path in paths)), "") for paths in (_KINDS, _NAMES))
    namespace = text(document, "kubernetes.namespace")
    return " ".join(filter(None, (kind, f"{namespace}/{name}" if namespace and name else namespace or name)))


def _workloads(document: Document) -> str:
    return ", ".join(str(name) for name in values_at(document, "related.workloads"))


def _event_line(document: Document) -> list[str]:
    user = text(document, "user.name")
    return [
        f"{clock(document)}: {_object(document)}",
        text(document, "event.action"),
        text(document, "message"),
        f"by {user}" if user else "",
    ]


def _event_cells(document: Document, is_wide: bool) -> list[str]:
    cells = [
        clock(document),
        _object(document),
        text(document, "event.action"),
        text(document, "message") or text(document, "event.reason"),
    ]
    wide = [_workloads(document), text(document, "user.name"), text(document, "kubernetes.event.count")]
    return [*cells, *wide] if is_wide else cells


def _audit_line(document: Document) -> list[str]:
    return [
        f"{clock(document)}: {text(document, 'user.name') or '?'}",
        text(document, "event.action"),
        _object(document),
        text(document, "event.outcome"),
        text(document, "http.response.status_code"),
    ]


def _audit_cells(document: Document, is_wide: bool) -> list[str]:
    cells = [
        clock(document),
        text(document, "user.name"),
        text(document, "event.action"),
        _object(document),
        text(document, "event.outcome"),
    ]
    wide = [_workloads(document), text(document, "source.ip"), text(document, "http.response.status_code")]
    return [*cells, *wide] if is_wide else cells


EVENT_VIEW: Final = View(
    (KUBERNETES_EVENTS, CHANGES),
    dataset.EVENT,
    ("event", "events"),
    ("time", "object", "action", "message"),
    ("workloads", "user", "count"),
    _event_line,
    _event_cells,
)
AUDIT_VIEW: Final = View(
    (KUBERNETES_AUDIT,),
    dataset.AUDIT,
    ("audit document", "audit documents"),
    ("time", "user", "action", "object", "outcome"),
    ("workloads", "from", "status"),
    _audit_line,
    _audit_cells,
)
