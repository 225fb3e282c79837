"""PagerDuty, Events API v2: POST /v2/enqueue, an event that triggers or resolves what its dedup_key names."""

from hashlib import sha256
from typing import Any, Final

from streams.delivery.item import Item
from streams.delivery.receiver import Receiver
from streams.delivery.render.request import Alert, Request, cause_lines, cut, json_request, link
from streams.notice.document import rfc3339

_SEVERITIES: Final = {"low": "info", "medium": "warning", "high": "error", "critical": "critical"}
_KEY: Final = 255
_SUMMARY: Final = 1_024
_DETAIL: Final = 2_000


def render_event(receiver: Receiver, item: Item) -> Request:
    """One event; what is resolved needs nothing but its key."""
    alert = item.alert
    event: dict[str, Any] = {
        "routing_key": receiver.secret,
        "event_action": "resolve" if item.action == "resolve" else "trigger",
        "dedup_key": _key(alert),
    }
    if item.action != "resolve":
        event |= {"payload": _payload(alert), "client": "Conntrail"}
        url = link(receiver, alert)
        if url:
            event |= {"client_url": url, "links": [{"href": url, "text": "Alert"}]}
    return json_request(receiver.url, event)


def _key(alert: Alert) -> str:
    key = f"{alert['cluster']}/{alert['id']}"
    return key if len(key) <= _KEY else sha256(key.encode()).hexdigest()


def _payload(alert: Alert) -> dict[str, Any]:
    details = {
        "reason": alert["reason"],
        "causes": "\n".join(cause_lines(alert)),
        "workloads": ", ".join(alert["workloads"]),
        "policies": ", ".join(alert["policies"]),
        "suggestions": "\n".join(alert["suggestions"]),
        "runbook": alert["runbook"],
    }
    return {
        "summary": cut(alert["message"], _SUMMARY),
        "source": alert["workloads"][0] if alert["workloads"] else alert["namespace"] or alert["cluster"] or "cluster",
        "severity": _SEVERITIES.get(alert["severity"], "warning"),
        "timestamp": rfc3339(alert["started_at_ns"]),
        "component": alert["namespace"],
        "group": alert["cluster"],
        "class": alert["rule"],
        "custom_details": {name: cut(value, _DETAIL) for name, value in details.items() if value},
    }
