"""Whether the matchers of a silence hold for an alert: the engine and whoever sends alerts mean the same by them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from streams.alert.life.pattern import is_like

_FIELDS: Final = ("id", "rule", "category", "severity")


def all_hold(matchers: Mapping[str, str], alert: Mapping[str, Any]) -> bool:
    """Of name → pattern; without any, nothing holds."""
    return bool(matchers) and all(
        any(is_like(value, (pattern,)) for value in _values(alert, name)) for name, pattern in matchers.items()
    )


def namespaces_of(alert: Mapping[str, Any]) -> set[str]:
    """Of the alert and of the workloads that it touches."""
    return {alert["namespace"], *(name.partition("/")[0] for name in alert["workloads"])}


def workload_names(alert: Mapping[str, Any]) -> set[str]:
    """With and without their namespace."""
    return {name for full in alert["workloads"] for name in (full, full.rpartition("/")[2])}


def _values(alert: Mapping[str, Any], name: str) -> Iterable[str]:
    if name in _FIELDS:
        return (alert[name],)
    if name == "namespace":
        return namespaces_of(alert)
    if name == "workload":
        return workload_names(alert)
    value = alert["subject"].get(name)
    return () if value is None else (value,)
