"""HTML that needs nothing and believes no name, CSV that is no program, JSON that is one text."""

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.report.evidence.canonical import canonical
from conntrail.report.evidence.section import SECTIONS
from conntrail.report.render.csv_file import csv_files
from conntrail.report.render.html_file import html_file
from conntrail.report.render.json_file import json_file
from conntrail.report.render.part import BLOCK_BYTES
from tests.support.history import inside
from tests.unit.conntrail.report.builders import WEB, facts_of, policy_change, report_of, request, window

GOLDEN = Path(__file__).with_name("golden") / "report.html"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table></main><style>*{display:none}</style>",
    "' onmouseover='x",
    "<!-- ",
    "&lt;b&gt;",
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(A1)",
    "-1+1|cmd",
    "\x1b[2J\x1b]0;owned\x07",
    "evil\u202egpj.exe",
    "a\r\nSet-Cookie: b",
    "half \ud800 pair",
    "x" * 253,
)  # fmt: skip
_VOID = ("meta", "br", "wbr")


class Page(HTMLParser):
    """Tags in their balance, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


def hostile_report(name: str) -> Any:
    """With the name wherever someone else chooses one."""
    facts = facts_of([
        window(inside(name), WEB, 80, reason=name, ingress=[name], denied_by=[name], drift=True),
        window(WEB, inside(name, namespace=name), 80, action="denied", denied_by=[name], reason=name),
    ])  # fmt: skip
    facts.changes.add_change(policy_change(by=name, name=name, from_value=name, to_value=name, id="c2"))
    facts.changes.add_request(request(user=name))
    return report_of(facts)


def test_the_page_is_the_golden_one() -> None:
    found = html_file(report_of(), "ab" * 32).content
    assert found.decode() == GOLDEN.read_text(encoding="utf-8"), "look at it, and put it there when it is meant so"


def test_the_page_needs_nothing_else() -> None:
    text = html_file(report_of()).content.decode()
    page = page_of(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    links = [value for name, value in page.attributes if name in ("href", "src")]
    assert links
    assert all(link is not None and link.startswith("#") for link in links)
    assert "url(" not in text
    assert "@import" not in text
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    anchors = {f"#{value}" for name, value in page.attributes if name == "id"}
    assert set(links) <= anchors


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markup_or_drives_anything(name: str) -> None:
    plain, hostile = (page_of(html_file(report).content.decode()) for report in (report_of(), hostile_report(name)))
    assert hostile.tags <= plain.tags | {"span"}
    assert {key for key, _ in hostile.attributes} == {key for key, _ in plain.attributes}
    shown = name.isprintable() and " ".join(name.split()) == name
    assert not shown or name in hostile.text
    assert all(letter == "\n" or letter.isprintable() for letter in hostile.text)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_is_a_formula_or_breaks_its_line(name: str) -> None:
    for file in csv_files(hostile_report(name)):
        rows = list(csv.reader(io.StringIO(file.content.decode(), newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
                    and not cell.lstrip("-").isdigit()]  # fmt: skip
        assert all(cell.isprintable() for row in rows for cell in row)


def test_csv_has_all_that_json_has() -> None:
    found = report_of()
    document = json.loads(json_file(found).content)
    files = {
        file.name: list(csv.DictReader(io.StringIO(file.content.decode(), newline=""))) for file in csv_files(found)
    }
    for section in SECTIONS:
        rows = files[f"{section.name}.csv"]
        assert len(rows) == len(document[section.name])
        for row, wanted in zip(rows, document[section.name], strict=True):
            for name, cell in row.items():
                value = wanted[name]
                told = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
                assert cell == ("; ".join(told) if isinstance(told, list) else str(told))
    figures = {row["figure"]: row["value"] for row in files["summary.csv"]}
    assert figures["completeness.node_seconds.lossy"] == "10"
    assert figures["status.state"] == "final"


def test_a_long_section_is_cut_on_the_page_alone_and_says_so() -> None:
    found = report_of()
    text = html_file(found, maximum_rows=2).content.decode()
    left = len(found.rows["traffic"]) - 2
    assert f"{left} more rows: traffic.csv and report.json hold all of them." in text


def test_a_section_without_rows_says_what_that_means() -> None:
    text = html_file(report_of(facts_of([]))).content.decode()
    assert "Nothing was denied." in text
    assert "No traffic was seen." in text


def test_parts_are_of_one_section_and_bounded() -> None:
    windows = [window(inside(f"w{number}"), WEB, 80) for number in range(200)]
    file = json_file(report_of(facts_of(windows)))
    assert max(len(part.content) for part in file.parts) == BLOCK_BYTES
    assert {part.section for part in file.parts} >= {section.name for section in SECTIONS}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, st.randoms(use_true_random=False))
def test_a_value_has_one_canonical_text_whatever_the_order_of_its_members(value: Any, random: Any) -> None:
    def shuffled(found: Any) -> Any:
        if isinstance(found, list):
            return [shuffled(item) for item in found]
        if not isinstance(found, dict):
            return found
        items = list(found.items())
        random.shuffle(items)
        return {key: shuffled(item) for key, item in items}

    text = canonical(value)
    assert canonical(shuffled(value)) == text
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_half_a_character_ends_no_report(name: str) -> None:
    kept = json.loads(canonical(name).decode())
    assert kept == name or "\ufffd" in kept
