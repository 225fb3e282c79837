"""CloudEvents 1.0 by HTTP: structured (one JSON document) or binary (attributes as headers, the alert as body)."""

from typing import Any, Final
from urllib.parse import quote

from streams.delivery.item import Item
from streams.delivery.receiver import Receiver
from streams.delivery.render.request import JSON, Request, bearer, identity, json_request
from streams.notice.document import alert_document, rfc3339

_TYPES: Final = {"open": "open", "update": "updated", "resolve": "resolved"}
_STRUCTURED: Final = "application/cloudevents+json; charset=utf-8"
_KEPT: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""Letters that the HTTP binding leaves as they are in a header (section 3.1.3.2)."""


def render_cloudevent(receiver: Receiver, item: Item) -> Request:
    """One event; its id is the same whenever it is sent again."""
    document, attributes = alert_document(item.alert), _attributes(item)
    if receiver.entry.mode == "structured":
        event = {**attributes, "datacontenttype": JSON, "data": document}
        return json_request(receiver.url, event, {**bearer(receiver.secret), "Content-Type": _STRUCTURED})
    headers = {f"ce-{name}": quote(value, safe=_KEPT) for name, value in attributes.items()}
    return json_request(receiver.url, document, {**bearer(receiver.secret), **headers})


def _attributes(item: Item) -> dict[str, Any]:
    alert = item.alert
    return {
        "specversion": "1.0",
        "id": identity(alert),
        "source": f"/conntrail/{quote(alert['cluster'], safe='')}",
        "type": f"io.conntrail.alert.{_TYPES[item.action]}",
        "subject": alert["id"] or "alert",
        "time": rfc3339(alert["updated_at_ns"]),
    }
