"""Slack, incoming webhooks: a message of blocks (Slack's "Block Kit" reference, with its limits).

``&``, ``<`` and ``>`` are escaped, as Slack asks: so no name can mention a channel or make a link.
"""

from typing import Any, Final

from streams.delivery.item import Item
from streams.delivery.receiver import Receiver
from streams.delivery.render.request import Alert, Request, cause_lines, cut, json_request, link
from streams.notice.document import rfc3339

_TITLE: Final = 140
_TEXT: Final = 2_900
_FIELD: Final = 1_900
_SIGNS: Final = {"open": "🔴", "update": "🟠", "resolve": "🟢"}
_WORDS: Final = {"open": "", "update": "Still: ", "resolve": "Resolved: "}


def render_message(receiver: Receiver, item: Item) -> Request:
    """One message."""
    alert = item.alert
    title = cut(f"{_SIGNS[item.action]} {_WORDS[item.action]}{alert['message']}", _TITLE)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(title)}]
    if alert["reason"]:
        blocks.append({"type": "section", "text": _marked(_escaped(alert["reason"], _TEXT))})
    blocks.append({"type": "section", "fields": [_marked(text) for text in _fields(alert)]})
    causes = cause_lines(alert)
    if causes and item.action != "resolve":
        blocks.append({"type": "section", "text": _marked(_escaped("\n".join(f"• {line}" for line in causes), _TEXT))})
    if alert["suggestions"] and item.action != "resolve":
        command = alert["suggestions"][0].replace("`", "'")
        blocks.append({"type": "section", "text": _marked(f"```{_escaped(command, _FIELD)}```")})
    url = link(receiver, alert)
    if url:
        button = {"type": "button", "text": _plain("Open"), "url": url, "action_id": "open"}
        blocks.append({"type": "actions", "elements": [button]})
    # What notifications show, and clients without blocks.
    return json_request(receiver.url, {"text": _escaped(title, _TEXT), "blocks": blocks})


def _fields(alert: Alert) -> list[str]:
    pairs = {
        "Severity": alert["severity"],
        "Rule": alert["rule"],
        "Cluster": alert["cluster"],
        "Namespace": alert["namespace"],
        "Workloads": ", ".join(alert["workloads"]),
        "Policies": ", ".join(alert["policies"]),
        "Since": rfc3339(alert["started_at_ns"]),
        "Until": rfc3339(alert["resolved_at_ns"]) if alert["resolved_at_ns"] else "",
    }
    return [f"*{name}*\n{_escaped(value, _FIELD)}" for name, value in pairs.items() if value]


def _escaped(text: str, letters: int) -> str:
    """Cut first: an escape that is cut in two would be shown as such."""
    short = cut(text, letters // 5)  # an & becomes five letters
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def _marked(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}
