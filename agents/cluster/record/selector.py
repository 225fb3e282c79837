"""Label selectors of the Kubernetes API (meta/v1 LabelSelector) on labels."""

from collections.abc import Mapping
from typing import Any

from agents.cluster.record.value import items, labels, text, texts


def selects(selector: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """Whether a selector matches labels; an empty one matches all. What it does not know matches nothing."""
    if any(found.get(key) != value for key, value in labels(selector, "matchLabels").items()):
        return False
    return all(_holds(one, found) for one in items(selector, "matchExpressions"))


def _holds(expression: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    key, values = text(expression, "key"), texts(expression.get("values"))
    match text(expression, "operator"):
        case "In":
            return found.get(key) in values
        case "NotIn":
            return found.get(key) not in values
        case "Exists":
            return key in found
        case "DoesNotExist":
            return key not in found
        case _:
            return False
