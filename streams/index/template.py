"""Component and index templates: what Elasticsearch is told before the first document.

Our index templates are no data streams and stand above the built-in ``logs-*-*`` and ``metrics-*-*`` (priority 100),
which are. What only some clusters have (logsdb, lifecycle policies) is an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.setting.index import IndexSettings
from streams.index import dataset as datasets
from streams.index import field
from streams.index.dataset import DATASETS, EDGE_TEMPLATE, SPAN_TEMPLATE, Dataset

MANAGED_BY = "conntrail"
_PRIORITY = 250
_HEAD = "conntrail-head"
_TRAFFIC = "conntrail-traffic"
_FIELDS: Mapping[str, field.Fields] = {
    datasets.FLOW.template: field.FLOW,
    datasets.WINDOW.template: field.WINDOW,
    datasets.POLICY.template: field.POLICY,
    datasets.NODE.template: field.NODE,
    datasets.DNS.template: field.DNS,
    datasets.L7.template: field.L7,
    datasets.ALERT.template: field.ALERT,
    datasets.EVENT.template: field.EVENT,
    datasets.AUDIT.template: field.AUDIT,
    datasets.DEAD_LETTER.template: field.DEAD_LETTER,
}
_TRAFFIC_DATASETS = (datasets.FLOW, datasets.WINDOW, datasets.DNS, datasets.L7)
# Neighbours that are alike compress best; measured with logsdb: a third of a plain index.
_SORT = ("source.kubernetes.workload.name", "destination.kubernetes.workload.name", "@timestamp")
_NOTE = {"managed_by": MANAGED_BY}


@dataclass(frozen=True, slots=True)
class ClusterFeatures:
    """What the cluster has beyond the core."""

    has_logsdb: bool
    has_lifecycle: bool


def component_templates(features: ClusterFeatures) -> dict[str, dict[str, Any]]:
    """By name: settings, what every document has, and what traffic has."""
    return {
        _HEAD: _component({"settings": _settings(), "mappings": _mappings(field.HEAD)}),
        _TRAFFIC: _component({"settings": _traffic_settings(features), "mappings": _mappings(field.TRAFFIC)}),
    }


def fields_of() -> Mapping[str, field.Fields]:
    """What each dataset has beside what every document, or all traffic, has; by the template's name."""
    return _FIELDS


def searchable(dataset: Dataset) -> field.Fields:
    """Every field of a dataset's documents."""
    shared = {**field.HEAD, **field.TRAFFIC} if dataset in _TRAFFIC_DATASETS else field.HEAD
    return {**shared, **_FIELDS[dataset.template]}


def index_templates(features: ClusterFeatures) -> dict[str, dict[str, Any]]:
    """By name: one a dataset, and those for notes on spans and on pairs that have met."""
    templates = {dataset.template: _index_template(dataset, features) for dataset in DATASETS}
    templates[SPAN_TEMPLATE] = _note_template(SPAN_TEMPLATE, field.SPAN, features)
    templates[EDGE_TEMPLATE] = _note_template(EDGE_TEMPLATE, field.EDGE, features)
    return templates


def lifecycle_policies(features: ClusterFeatures, index: IndexSettings) -> dict[str, dict[str, Any]]:
    """By name: each dataset's indices go when their day is as old as the settings say."""
    if not features.has_lifecycle:
        return {}
    return {dataset.template: _policy(index.days(dataset.name)) for dataset in DATASETS}


def is_as_written(policy: Mapping[str, Any]) -> bool:
    """Whether a lifecycle policy is one of ours that nobody changed since."""
    body = policy["policy"]
    days = body.get("_meta", {}).get("days")
    return days is not None and body.get("phases") == _policy(days)["policy"]["phases"]


def _index_template(dataset: Dataset, features: ClusterFeatures) -> dict[str, Any]:
    is_traffic = dataset in _TRAFFIC_DATASETS
    custom = f"{dataset.template}@custom"
    return {
        "index_patterns": [f"{dataset.template}-*"],
        "priority": _PRIORITY,
        # @custom, last of all, is the operator's: replicas, retention, own fields.
        "composed_of": [_HEAD, *([_TRAFFIC] if is_traffic else []), custom],
        "ignore_missing_component_templates": [custom],
        "template": {
            "settings": _lifecycle(dataset, features),
            "mappings": _mappings(_FIELDS.get(dataset.template, {})),
        },
        "_meta": _NOTE,
    }


def _note_template(name: str, fields: field.Fields, features: ClusterFeatures) -> dict[str, Any]:
    return {
        "index_patterns": [f"{name}-*"],
        "priority": _PRIORITY,
        "template": {
            "settings": {**_settings(), **_lifecycle(datasets.WINDOW, features)},
            "mappings": _mappings(fields),
        },
        "_meta": _NOTE,
    }


def _component(template: dict[str, Any]) -> dict[str, Any]:
    return {"template": template, "_meta": _NOTE}


def _mappings(fields: field.Fields) -> dict[str, Any]:
    return {"_meta": _NOTE, "dynamic": False, "properties": field.properties(fields)}


def _settings() -> dict[str, Any]:
    # One shard: a day of one cluster; more are the operator's choice through @custom.
    return {
        "index": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            "refresh_interval": "5s",
            "codec": "best_compression",
            # logsdb would keep a document with an unusable value and not say so; ours goes to the dead letters.
            "mapping": {"ignore_malformed": False},
        }
    }


def _traffic_settings(features: ClusterFeatures) -> dict[str, Any]:
    settings: dict[str, Any] = {
        # An address without a workload is the outside world: last.
        "sort.field": list(_SORT),
        "sort.order": ["asc", "asc", "desc"],
        "sort.missing": ["_last", "_last", "_last"],
    }
    if features.has_logsdb:
        settings["mode"] = "logsdb"
    return {"index": settings}


def _lifecycle(dataset: Dataset, features: ClusterFeatures) -> dict[str, Any]:
    if not features.has_lifecycle:
        return {}
    # Age counts from the day in the index's name, not from its creation: a late replay keeps nothing longer.
    return {"index": {"lifecycle": {"name": dataset.template, "parse_origination_date": True}}}


def _policy(days: int) -> dict[str, Any]:
    delete = {"min_age": f"{days + 1}d", "actions": {"delete": {}}}
    # The days are noted so that a later setup can tell a setting that changed from a policy that somebody changed.
    return {"policy": {"phases": {"hot": {"actions": {}}, "delete": delete}, "_meta": {**_NOTE, "days": days}}}
