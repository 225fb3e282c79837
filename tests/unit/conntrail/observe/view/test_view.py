"""Each type has lines and cells of its own, whatever is missing and whatever names hold."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from conntrail.observe.view.table import VIEWS, view_of
from conntrail.text import printable
from tests.unit.conntrail.observe import documents as flows
from tests.unit.conntrail.observe.view import documents
from tests.unit.conntrail.observe.view.documents import Document

HOSTILE = "\x1b[31mred\n\u202e"
EXAMPLES = {
    "flow": [flows.document()],
    "dns": [documents.dns()],
    "l7": [documents.http(), documents.tls()],
    "event": [documents.event()],
    "audit": [documents.audit()],
}
ALL = [(name, document) for name, found in EXAMPLES.items() for document in found]
AT = "2026-11-23T18:32:00.123Z:"


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (
            documents.dns(),
            "shop/web-1 -> kube-system/dns-1:53 UDP DNS A payment.shop.svc.cluster.local NOERROR 3x 1.2 ms",
        ),
        (
            documents.dns(dns={}, conntrail={"count": 90}, event={"dataset": "conntrail.dns", "action": "cut"}),
            "shop/web-1 -> kube-system/dns-1:53 UDP DNS CUT 90x",
        ),
        (documents.http(), "shop/web-1 -> kube-system/dns-1:53 HTTP payment GET /orders/{id} 500 3x 2.5 ms"),
        (documents.tls(), "shop/web-1 -> kube-system/dns-1:53 TLS api.example.org hello 3x"),
        (documents.event(), "Deployment shop/web-1 BackOff Back-off restarting failed container"),
        (documents.audit(), "alice create networkpolicy shop/deny-all success 201"),
    ],
)
def test_a_document_is_a_line(document: Document, line: str) -> None:
    shown = view_of(document).compact(document)
    assert line in shown


@pytest.mark.parametrize(("name", "document"), ALL, ids=[name for name, _ in ALL])
def test_cells_are_those_of_the_headings(name: str, document: Document) -> None:
    view = VIEWS[name]
    assert view_of(document) is view
    for is_wide in (False, True):
        cells = view.row(document, is_wide)
        assert len(cells) == len(view.headings(is_wide))
        assert cells[0] == AT.rstrip(":")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from places(item, (*path, key))


@pytest.mark.parametrize(("name", "document"), ALL, ids=[name for name, _ in ALL])
@pytest.mark.parametrize("junk", [None, [], {}, 0, HOSTILE, [HOSTILE]], ids=repr)
def test_whatever_is_missing_or_hostile_is_shown_harmlessly(name: str, document: Document, junk: Any) -> None:
    for *path, last in list(places(document)):
        broken = copy.deepcopy(document)
        part: Any = broken
        for key in path:
            part = part[key]
        part[last] = junk
        texts = [VIEWS[name].compact(broken), *VIEWS[name].row(broken, is_wide=True)]
        assert all(text == printable(text) for text in texts)


def test_documents_are_counted_in_their_own_words() -> None:
    assert [VIEWS["flow"].counted(count) for count in (0, 1, 2)] == ["0 flows", "1 flow", "2 flows"]
    assert VIEWS["event"].counted(3) == "3 events"


def test_a_document_that_does_not_say_its_type_is_a_flow() -> None:
    assert view_of({}) is VIEWS["flow"]
