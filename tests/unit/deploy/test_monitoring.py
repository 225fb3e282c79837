"""Dashboard and rules ask for figures that processes have."""

import json
import re

import yaml
from prometheus_client import CollectorRegistry

from agents.cluster.metrics import ClusterMetrics
from agents.node.metrics import NodeMetrics
from agents.publish.metrics import PublishMetrics
from streams.alert.metrics import AlertMetrics
from streams.delivery.counters import DeliveryCounters
from streams.denial.counters import DenialCounters
from streams.exchange.counters import ExchangeCounters
from streams.index.counters import IndexCounters
from streams.window.counters import FlowCounters
from tests.support.chart import CHART

_SOURCES = (
    NodeMetrics, PublishMetrics, ClusterMetrics, FlowCounters, ExchangeCounters, DenialCounters, IndexCounters,
    AlertMetrics, DeliveryCounters,
)  # fmt: skip
_ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


def _served() -> set[str]:
    found = set()
    for source in _SOURCES:
        registry = CollectorRegistry()
        source(registry)
        for metric in registry.collect():
            found |= {metric.name + ending for ending in _ENDINGS.get(metric.type, ("",))}
    return found | {"process_resident_memory_bytes"}


def _asked(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:conntrail|process)_[a-z0-9_]+", expression))


def test_rules_ask_for_figures_that_are_served() -> None:
    groups = yaml.safe_load((CHART / "rules.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert _asked(rule["expr"]), rule["alert"]
        assert _asked(rule["expr"]) <= _served(), rule["alert"]
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert {"summary", "action"} == rule["annotations"].keys()


def test_the_dashboard_asks_for_figures_that_are_served() -> None:
    dashboard = json.loads((CHART / "dashboards" / "pipeline.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    for panel in panels:
        assert panel["description"]
        for target in panel["targets"]:
            assert _asked(target["expr"]), panel["title"]
            assert _asked(target["expr"]) <= _served(), panel["title"]
    places = [
        (x, y)
        for at in (panel["gridPos"] for panel in dashboard["panels"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(places) == len(set(places)), "panels overlap"


def test_a_name_that_nobody_serves_is_noticed() -> None:
    assert not _asked("rate(conntrail_agent_losses_total[5m])") <= _served()
