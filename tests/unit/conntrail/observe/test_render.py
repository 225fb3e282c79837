from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.render import clock, human_bytes, human_time, in_zone
from conntrail.observe.view.flow import FLOW_VIEW
from conntrail.text import printable
from tests.unit.conntrail.observe.documents import Document, document

COLUMNS, WIDE_COLUMNS = FLOW_VIEW.columns, FLOW_VIEW.wide_columns
compact, row = FLOW_VIEW.compact, FLOW_VIEW.row
HOSTILE = ["\x1b[31mred", "a\nb", "a\rb", "\x07", "\x9b2J", "\u202egnp.exe", "a\u2028b", "\ud800", "\x00", "\u200b"]
DENIED: dict[str, Any] = {"event__action": "denied", "event__reason": "isolated", "policy__denied_by": ["NP:shop/x"]}


def texts(of: Document) -> list[str]:
    return [compact(of), *row(of, is_wide=False), *row(of, is_wide=True)]


def test_an_allowed_flow_is_a_line() -> None:
    assert compact(document()) == (
        "2026-11-23T18:32:00.123Z: shop/client-1:40000 -> shop/web-1:8080 (service shop/web) TCP ALLOWED 200 B"
    )


def test_a_denied_flow_says_by_what_and_why() -> None:
    assert compact(document(**DENIED, destination__service=None)) == (
        "2026-11-23T18:32:00.123Z: shop/client-1:40000 -> shop/web-1:8080 (web.shop) TCP DENIED by NP:shop/x "
        "(isolated) 200 B"
    )


def test_cells_are_those_of_the_columns() -> None:
    assert dict(zip(COLUMNS, row(document(), is_wide=False), strict=True)) == {
        "time": "2026-11-23T18:32:00.123Z", "source": "shop/client-1", "destination": "shop/web-1:8080",
        "protocol": "tcp",
        "verdict": "allowed", "bytes": "200 B", "reason": "",
    }  # fmt: skip
    wide = dict(zip((*COLUMNS, *WIDE_COLUMNS), row(document(), is_wide=True), strict=True))
    assert wide["source"] == "shop/client-1:40000"
    assert [wide[name] for name in WIDE_COLUMNS] == [
        "curl", "shop/web", "web.shop", "NetworkPolicy:shop/web:rule=0:allow", "120 µs", "both", "complete",
        "connection-1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"source__kubernetes": None, "source__ip": "2001:db8::1", "source__port": None}, "2001:db8::1"),
        ({"source__kubernetes": None, "source__ip": "198.51.100.9"}, "198.51.100.9:40000"),
        ({"source__kubernetes": None, "source__ip": "2001:db8::1"}, "[2001:db8::1]:40000"),
        ({"source__kubernetes": {"workload": {"kind": "Node", "name": "node1"}}}, "node1:40000"),
        ({"source": {}}, "?"),
    ],
)
def test_an_end_without_a_pod_is_its_node_or_its_address(facts: dict[str, Any], name: str) -> None:
    assert f": {name} -> " in compact(document(**facts))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "path",
    [
        "source__kubernetes__namespace", "source__kubernetes__pod__name", "source__ip", "source__process__name",
        "destination__service__name", "destination__service__namespace", "network__transport", "event__action",
        "event__reason", "policy__denied_by", "policy__ingress__policies", "flow__id", "flow__reporter",
        "flow__coverage", "source__port", "tcp__rtt_us", "event__end", "network__bytes",
    ],
)  # fmt: skip
def test_what_others_named_never_drives_the_terminal(path: str, text: str) -> None:
    for facts in ({}, DENIED):
        for shown in texts(document(**{**facts, path: text})):
            assert shown.isprintable()


@given(st.text())
def test_shown_text_is_printable_and_what_was_printable_is_shown_as_it_is(text: str) -> None:
    assert printable(text).isprintable()
    if text.isprintable():
        assert printable(text) == text


@pytest.mark.parametrize("of", [{}, {"source": None}, {"@timestamp": "soon"}, {"event": {"end": 5}}, {"event": "x"}])
def test_a_document_that_says_little_is_shown_all_the_same(of: Document) -> None:
    assert all(isinstance(text, str) for text in texts(of))


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "0 B"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (2**20 - 1, "1.0 MiB"),
        (2**30, "1.0 GiB"), (2**40, "1.0 TiB"), (2**50, "1024.0 TiB"), ("many", "?"),
    ],
)  # fmt: skip
def test_bytes_have_a_unit(count: Any, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [(None, ""), ("1", ""), (0, "0 µs"), (850, "850 µs"), (999.6, "1.0 ms"), (1234, "1.2 ms"), (1_600_000, "1.6 s")],
)
def test_times_have_a_unit(microseconds: Any, expected: str) -> None:
    assert human_time(microseconds) == expected


def test_times_are_shown_in_the_zone_that_is_asked_for_and_can_be_given_back() -> None:
    moved = in_zone(document(), ZoneInfo("Asia/Kolkata"))
    assert compact(moved).startswith("2026-11-24T00:02:00.123+05:30: ")
    for zone in (UTC, ZoneInfo("America/Lima"), None):
        shown = clock(in_zone(document(), zone))
        assert datetime.fromisoformat(shown) == datetime(2026, 11, 23, 18, 32, 0, 123000, UTC)
    for odd in ({}, {"@timestamp": 5, "event": "x"}, {"@timestamp": "0001-01-01T00:00:00+14:00"}):
        assert clock(in_zone(odd, UTC)).isprintable()
