"""Prometheus Alertmanager, API v2: POST /api/v2/alerts, an array of alerts (its api/v2/openapi.yaml).

An alert is who its labels are, so nothing that changes is among them. Clients repeat active alerts; one that is not
repeated ends by its endsAt, so a worker that dies leaves nothing firing for ever.
"""

from collections.abc import Sequence
from typing import Any, Final

from streams.delivery.item import Item
from streams.delivery.receiver import Receiver
from streams.delivery.render.request import Request, bearer, cause_lines, cut, json_request, link
from streams.notice.document import rfc3339

REPEAT_SECONDS: Final = 60.0
_LASTS_NS: Final = 4 * 60_000_000_000
"""As Prometheus does: four times the interval of repetition."""
_LETTERS: Final = 2_000
_PATH: Final = "/api/v2/alerts"


def render_alerts(receiver: Receiver, items: Sequence[Item], now_ns: int) -> Request:
    """All in one request; ``now_ns`` (Unix time) says until when what is active counts as such."""
    base = receiver.url.rstrip("/")
    url = base if base.endswith(_PATH) else base + _PATH
    return json_request(url, [_alert(receiver, item, now_ns) for item in items], bearer(receiver.secret))


def _alert(receiver: Receiver, item: Item, now_ns: int) -> dict[str, Any]:
    alert = item.alert
    labels = {
        "alertname": alert["rule"],
        "severity": alert["severity"],
        "category": alert["category"],
        "cluster": alert["cluster"],
        "namespace": alert["namespace"],
        "conntrail_id": alert["id"],
    }
    annotations = {
        "summary": alert["message"],
        "description": alert["reason"],
        "causes": "\n".join(cause_lines(alert)),
        "workloads": ", ".join(alert["workloads"]),
        "policies": ", ".join(alert["policies"]),
        "suggestions": "\n".join(alert["suggestions"]),
        "runbook": alert["runbook"],
    }
    ends_ns = alert["resolved_at_ns"] or alert["updated_at_ns"] if item.action == "resolve" else now_ns + _LASTS_NS
    url = link(receiver, alert)
    return {
        "labels": _given(labels),
        "annotations": _given(annotations),
        "startsAt": rfc3339(alert["started_at_ns"]),
        # What is over must not end before it began, nor in the future.
        "endsAt": rfc3339(min(max(ends_ns, alert["started_at_ns"]), now_ns) if item.action == "resolve" else ends_ns),
        **({"generatorURL": url} if url else {}),
    }


def _given(pairs: dict[str, str]) -> dict[str, str]:
    """Alertmanager takes an empty label for none."""
    return {name: cut(value, _LETTERS) for name, value in pairs.items() if value}
