"""A page: rows of tiles below a line of links to the other pages, and lists to choose from."""

from collections.abc import Iterator, Sequence

from conntrail.setup.kibana.model import COLUMNS, Dashboard, Panel, Row
from conntrail.setup.kibana.panel import Context, Place, tile
from conntrail.setup.kibana.saved_object import Reference, SavedObject, kuery, object_id, stable_id, text
from conntrail.setup.kibana.search import title_of

_LINKS_HEIGHT = 3


def dashboard(context: Context, pages: Sequence[Dashboard]) -> SavedObject:
    """With what it refers to."""
    page = context.page
    tiles = [tile(panel, place, context) for panel, place in _placed([_links(page, pages), *page.rows])]
    options = {
        "useMargins": True, "syncColors": False, "syncCursor": True, "syncTooltips": False, "hidePanelTitles": False,
    }  # fmt: skip
    controls = {stable_id(page.id, control.field): control for control in page.controls}
    attributes = {
        "controlGroupInput": {
            "chainingSystem": "HIERARCHICAL",
            "controlStyle": "oneLine",
            "ignoreParentSettingsJSON": text(
                {"ignoreFilters": False, "ignoreQuery": False, "ignoreTimerange": False, "ignoreValidations": False}
            ),
            "panelsJSON": text(
                {
                    identity: _control(identity, control.field, control.title, number)
                    for number, (identity, control) in enumerate(controls.items())
                }
            ),
        },
        "description": page.about,
        "kibanaSavedObjectMeta": {"searchSourceJSON": text({"query": kuery(""), "filter": []})},
        "optionsJSON": text(options),
        "panelsJSON": text([one.body for one in tiles]),
        "refreshInterval": {"pause": True, "value": 60_000},
        "timeFrom": page.since,
        "timeRestore": True,
        "timeTo": "now",
        "title": title_of(page.title),
        "version": 1,
    }
    offered = [
        Reference("index-pattern", object_id(page.view), f"controlGroup_{identity}:optionsListDataView")
        for identity in controls
    ]
    references = [*(reference for one in tiles for reference in one.references), *offered]
    return SavedObject("dashboard", object_id(page.id), attributes, tuple(references))


def _control(identity: str, field: str, title: str, number: int) -> dict[str, object]:
    return {
        "explicitInput": {"id": identity, "fieldName": field, "title": title, "enhancements": {}},
        "grow": True,
        "order": number,
        "type": "optionsListControl",
        "width": "medium",
    }


def _links(page: Dashboard, pages: Sequence[Dashboard]) -> Row:
    """The open page is bold; addresses are relative, so that they hold in every space."""
    words = (f"**{one.title}**" if one.id == page.id else f"[{one.title}](#/view/{object_id(one.id)})" for one in pages)
    return Row(_LINKS_HEIGHT, [Panel("text", text=" · ".join(words))])


def _placed(rows: Sequence[Row]) -> Iterator[tuple[Panel, Place]]:
    y = 0
    for row in rows:
        rest = COLUMNS - sum(panel.width for panel in row.panels)
        unsized = sum(not panel.width for panel in row.panels)
        x = 0
        for panel in row.panels:
            width = panel.width or rest // unsized
            yield panel, Place(x, y, width, row.height)
            x += width
        y += row.height
