"""Alerts as rows of text: what broke, which rule of which policy did it, and who made that."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from conntrail.text import printable

ALERTS_TITLE: Final = "Alerts: what broke, why, and who did it"
ALERT_COLUMNS: Final = ("severity", "rule", "what", "likeliest cause", "done by", "policy")
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_SHOWN: Final = 12


def alert_rows(alerts: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """The most severe, those with a known cause first."""
    ordered = sorted(alerts, key=lambda alert: (_SEVERITIES.index(alert["severity"]), not alert["causes"], alert["id"]))
    return [list(map(printable, _cells(alert))) for alert in ordered[:_SHOWN]]


def _cells(alert: Mapping[str, Any]) -> list[str]:
    why, who = "(none known)", ""
    for cause in alert["causes"][:1]:
        why, who = f"{cause['summary']} ({cause['confidence']:.0%})", cause["by"]
    policy = alert["policies"][0] if alert["policies"] else ""
    return [alert["severity"], alert["rule"], alert["message"], why, who, policy]
