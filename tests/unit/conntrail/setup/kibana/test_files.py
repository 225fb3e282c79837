"""What is checked in is what the source says, and what Kibana takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conntrail.setup.kibana.bundle import rule_body, saved_objects
from conntrail.setup.kibana.mapping import mapped_types
from conntrail.setup.kibana.model import COLUMNS
from conntrail.setup.kibana.reader import read_source
from conntrail.setup.kibana.saved_object import to_ndjson
from tests.support.kibana.objects import FILE, Panel, of_kind, panels, source_of, titles
from tests.support.kibana.objects import lines as read_lines
from tests.support.kibana.shape import Line
from tests.support.kibana.vega import sources_of

SOURCE = read_source()
LINES = read_lines()
RULES = Path(FILE).parent / "rules"


def test_the_files_are_those_that_the_source_makes() -> None:
    """Renew them by ``python -m conntrail setup --write-kibana deploy/kibana``."""
    assert FILE.read_text(encoding="utf-8") == to_ndjson(saved_objects(SOURCE))
    written = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RULES.iterdir()}
    assert written == {rule.id: rule_body(rule) for rule in SOURCE.rules}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['type']}/{line['id']}")
def test_an_object_has_the_shape_of_exported_ones(line: dict[str, Any]) -> None:
    assert Line.of(line).id == line["id"]


def test_an_object_of_another_shape_is_refused() -> None:
    """The shapes can refuse."""
    unnamed = {"type": "dashboard", "id": "x", "name": "somewhere"}
    for change in ({"typeMigrationVersion": "10.2.0"}, {"attribute": {}}, {"references": [unnamed]}):
        with pytest.raises(ValueError, match=r"."):
            Line.of({**LINES[-1], **change})


def test_every_reference_leads_to_an_object_of_the_file_and_ids_are_ours_and_unique() -> None:
    ids = [(line["type"], line["id"]) for line in LINES]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith("conntrail-") for _, name in ids)
    for line in LINES:
        names = [reference["name"] for reference in line["references"]]
        assert len(set(names)) == len(names), line["id"]
        assert {(one["type"], one["id"]) for one in line["references"]} <= set(ids), line["id"]


def test_tiles_fill_each_row_and_none_covers_another() -> None:
    for page in of_kind("dashboard"):
        taken: set[tuple[int, int]] = set()
        for body in json.loads(page["attributes"]["panelsJSON"]):
            place = body["gridData"]
            assert place["i"] == body["panelIndex"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, (page["id"], body.get("title"))
            taken |= cells
        assert {x for x, _ in taken} <= set(range(COLUMNS))
        assert all(sum(row == y for _, row in taken) >= COLUMNS - 5 for y in range(max(y for _, y in taken)))


def test_every_page_is_linked_from_every_other_and_drilldowns_lead_to_pages() -> None:
    pages = {page["id"] for page in of_kind("dashboard")}
    assert len(pages) >= 10
    for page in of_kind("dashboard"):
        text = page["attributes"]["panelsJSON"]
        assert all(f"#/view/{other}" in text for other in pages - {page["id"]})
    for panel in panels():
        for event in panel.body["embeddableConfig"]["enhancements"].get("dynamicActions", {}).get("events", []):
            name = f"drilldown:DASHBOARD_TO_DASHBOARD_DRILLDOWN:{event['eventId']}:dashboardId"
            assert panel.references[name] in pages


def fields_of(panel: Panel) -> set[str]:
    return set(panel.layer().fields()) if panel.kind == "lens" else set()


def used_fields() -> Iterator[tuple[str, str]]:
    """Data view and field, wherever one is named outside KQL."""
    for panel in panels():
        yield from ((panel.view, field) for field in fields_of(panel))
    for search in of_kind("search"):
        view = search["references"][0]["id"]
        yield from ((view, column) for column in search["attributes"]["columns"])
    for page in SOURCE.dashboards:
        yield from ((f"conntrail-{page.view}", control.field) for control in page.controls)


def vega_fields(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("field"), str):
            yield part["field"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from vega_fields(one)


def test_every_field_is_one_that_the_documents_have() -> None:
    mapped = {view: mapped_types(title.removesuffix("-*")) for view, title in titles().items()}
    unknown = [(view, field) for view, field in used_fields() if field not in mapped[view]]
    for panel in panels():
        for part in sources_of(panel.vega) if panel.vega else ():
            known = mapped_types(part["url"]["index"].removesuffix("-*"))
            unknown += [(panel.title, field) for field in vega_fields(part["url"]["body"]) if field not in known]
    unknown += [("notes", name) for name in SOURCE.fields if not any(name in fields for fields in mapped.values())]
    assert unknown == []


def test_aggregated_fields_can_be_aggregated() -> None:
    """Lens offers neither text nor flattened fields."""
    for panel in panels():
        if panel.kind == "lens":
            types = mapped_types(titles()[panel.view].removesuffix("-*"))
            assert not {types[field] for field in panel.layer().fields()} & {"text", "flattened", "binary"}


def test_a_filter_of_a_page_is_of_use_to_all_its_charts() -> None:
    """A page's control filters every tile: where a tile's documents lack the field, choosing a value empties it."""
    for page in SOURCE.dashboards:
        for control in page.controls:
            for row in page.rows:
                for panel in row.panels:
                    view = panel.view or next((one.view for one in SOURCE.searches if one.id == panel.search), "")
                    dataset = next((one.dataset for one in SOURCE.views if one.id == view), "")
                    assert not dataset or control.field in mapped_types(dataset), (page.id, control.field, panel.title)


def test_what_is_told_by_node_is_what_nodes_tell_of_themselves() -> None:
    """A flow that both ends report has the source's node, so a node of servers alone would seem to be silent."""
    by_node = {panel.title: panel.view for panel in panels() if "observer.name" in fields_of(panel)}
    assert len(by_node) >= 3
    assert set(by_node.values()) == {"conntrail-node"}


def test_searches_show_the_newest_first() -> None:
    for search in of_kind("search"):
        assert search["attributes"]["sort"] == [["@timestamp", "desc"]]
        assert source_of(search)["indexRefName"] == search["references"][0]["name"]
