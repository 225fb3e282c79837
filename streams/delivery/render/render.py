"""Chooses by kind."""

from collections.abc import Sequence

from streams.delivery.item import Item
from streams.delivery.receiver import Receiver
from streams.delivery.render.alertmanager import render_alerts
from streams.delivery.render.cloudevents import render_cloudevent
from streams.delivery.render.generic import render_webhook
from streams.delivery.render.pagerduty import render_event
from streams.delivery.render.request import Request
from streams.delivery.render.slack import render_message

_TOGETHER = 64


def together(receiver: Receiver) -> int:
    """How many alerts one request may hold."""
    return _TOGETHER if receiver.entry.kind == "alertmanager" else 1


def render(receiver: Receiver, items: Sequence[Item], now_ns: int) -> Request:
    """Of as many items as may go together. ``now_ns`` is Unix time."""
    if receiver.entry.kind == "alertmanager":
        return render_alerts(receiver, items, now_ns)
    (item,) = items
    match receiver.entry.kind:
        case "slack":
            return render_message(receiver, item)
        case "pagerduty":
            return render_event(receiver, item)
        case "cloudevents":
            return render_cloudevent(receiver, item)
        case "json":
            return render_webhook(receiver, item, now_ns)
