"""Saved searches: Discover with a question already asked."""

from conntrail.setup.kibana.model import Search
from conntrail.setup.kibana.saved_object import Reference, SavedObject, kuery, object_id, text

_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"


def saved_search(search: Search) -> SavedObject:
    """Newest first."""
    source = {"query": kuery(search.query), "filter": [], "indexRefName": _INDEX}
    attributes = {
        "columns": search.columns,
        "description": search.about,
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(source)},
        "sort": [["@timestamp", "desc"]],
        "timeRestore": False,
        "title": title_of(search.title),
    }
    view = Reference("index-pattern", object_id(search.view), _INDEX)
    return SavedObject("search", object_id(search.id), attributes, (view,))


def title_of(title: str) -> str:
    """So that ours stand together in lists that hold everybody's."""
    return f"[Conntrail] {title}"
