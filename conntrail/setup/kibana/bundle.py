"""All objects, those that others refer to first; and the example rules."""

from typing import Any, Final

from conntrail.setup.kibana.dashboard import dashboard
from conntrail.setup.kibana.mapping import mapped_types
from conntrail.setup.kibana.model import Rule, Source
from conntrail.setup.kibana.panel import Context
from conntrail.setup.kibana.saved_object import SavedObject, kuery, object_id
from conntrail.setup.kibana.search import saved_search
from conntrail.setup.kibana.view import data_view

FILE: Final = "conntrail.ndjson"
_NEWEST: Final = 100


def saved_objects(source: Source) -> list[SavedObject]:
    """What is imported."""
    types = {view.id: mapped_types(view.dataset) for view in source.views}
    titles = {page.id: page.title for page in source.dashboards}
    return [
        *(data_view(view, source.fields, frozenset(types[view.id])) for view in source.views),
        *(saved_search(search) for search in source.searches),
        *(dashboard(Context(page, titles, source.vega, types), source.dashboards) for page in source.dashboards),
    ]


def rule_body(rule: Rule) -> dict[str, Any]:
    """What ``POST /api/alerting/rule/<id>`` takes: a search that is made again and again."""
    return {
        "name": f"[Conntrail] {rule.name}",
        "consumer": "alerts",
        "tags": ["conntrail"],
        "rule_type_id": ".es-query",
        "schedule": {"interval": "1m"},
        "actions": [],
        "params": {
            "searchType": "searchSource",
            "searchConfiguration": {"index": object_id(rule.view), "query": kuery(rule.query), "filter": []},
            "timeField": "@timestamp",
            "size": _NEWEST,
            "timeWindowSize": rule.minutes,
            "timeWindowUnit": "m",
            "threshold": [rule.above],
            "thresholdComparator": ">",
            "aggType": "count",
            "groupBy": "all",
            "excludeHitsFromPreviousRun": True,
        },
    }
