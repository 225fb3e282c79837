"""Alerts of a system that runs, waited for; and the shipped rules at the pace of a test."""

import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from conntrail.alerts.reader import NoticeTopics
from schemas.topic import ALERTS
from tests.support.index import ask
from tests.support.observed import Document, Observed

Alert = Mapping[str, Any]
_PATIENCE_SECONDS = 90.0
_LOOK_SECONDS = 0.3


def alerts_of(run: Observed) -> list[Alert]:
    """The last word on each."""
    topics = NoticeTopics(run.settings)
    topics.read(ALERTS)
    return [word.alert for word in topics.notices.book.alerts()]


def told(alerts: list[Alert], rule: str, workload: str) -> list[Alert]:
    """What a rule says of a workload."""
    return [alert for alert in alerts if alert["rule"] == rule and workload in alert["workloads"]]


def await_alerts(run: Observed, awaited: str, is_there: Callable[[list[Alert]], bool]) -> list[Alert]:
    """The alerts, once they are as they are ``awaited``, in words. Raises AssertionError with those that there are."""

    def brief(alerts: list[Alert]) -> str:
        return "; ".join(f"{alert['rule']} {alert['status']}: {alert['message']}" for alert in alerts)

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_there(alerts := alerts_of(run)):
        run.system.check()
        assert time.monotonic() < deadline, f"{awaited}, not in time, only: {brief(alerts)}"
        time.sleep(_LOOK_SECONDS)
    return alerts


def await_windows(run: Observed, pairs: set[tuple[str, str]], count: int) -> None:
    """Until so many windows have told of connections that got through between each pair of workloads."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while missing := {pair for pair in pairs if len(_spans(run.windows(), *pair)) < count}:
        run.system.check()
        assert time.monotonic() < deadline, f"{count} windows, not in time, of {missing}"
        time.sleep(_LOOK_SECONDS)


def await_drift(run: Observed, cause: Callable[[], None]) -> None:
    """Cause it again and again, until flows tell of it."""
    elasticsearch = run.settings.elasticsearch
    index = f"logs-conntrail.flow-{elasticsearch.namespace}-*"
    query = {"query": {"term": {"policy.drift": True}}}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ask(elasticsearch.hosts, "POST", f"{index}/_count", query)["count"]:
        run.system.check()
        assert time.monotonic() < deadline, "drift, not in time"
        cause()
        time.sleep(_LOOK_SECONDS)
        ask(elasticsearch.hosts, "POST", f"{index}/_refresh")


def write_rules(path: Path, paces: Mapping[str, Mapping[str, str]]) -> None:
    """Shipped rules with other durations: by rule, and by field whole or by what it says there."""
    shipped = {
        rule["id"]: rule
        for file in files("streams.alert").joinpath("rules").iterdir()
        if file.name.endswith(".yaml")
        for rule in yaml.safe_load(file.read_text(encoding="utf-8"))
    }
    changed = []
    for identity, pace in paces.items():
        rule = dict(shipped[identity])
        for before, after in pace.items():
            name = before if before in rule else "when"
            assert name != "when" or before in rule["when"], f"rule {identity} says no more: {before}"
            rule[name] = after if name == before else rule["when"].replace(before, after)
        changed.append(rule)
    path.write_text(yaml.safe_dump(changed))


def _spans(windows: list[Document], source: str, destination: str) -> set[str]:
    return {
        window["@timestamp"]
        for window in windows
        if (_workload(window["source"]), _workload(window["destination"])) == (source, destination)
        and window["event"]["action"] == "allowed"
    }


def _workload(end: Mapping[str, Any]) -> str:
    kubernetes = end.get("kubernetes", {})
    return f"{kubernetes.get('namespace')}/{kubernetes.get('workload', {}).get('name')}"
