"""Label selectors, as Kubernetes' LabelSelector has them; the lab's own reading, to compare others with."""

from collections.abc import Mapping
from typing import Any


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """An empty selector matches everything."""
    wanted = selector or {}
    if any(key not in labels or labels[key] != value for key, value in (wanted.get("matchLabels") or {}).items()):
        return False
    return all(_holds(expression, labels) for expression in wanted.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    raise ValueError(f"operator {operator!r} of a label selector is not known")
