import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.notice.document import alert_document, rfc3339, text_of
from tests.support.alerts import AT_NS, alert


@pytest.mark.parametrize(
    ("at_ns", "text"),
    [
        (AT_NS + 123_456_789, "2026-11-18T11:06:40.123456Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775Z"),
        (-(2**63), "1677-09-21T00:12:43.145224Z"),
    ],
)
def test_instants_are_rfc_3339_and_every_long_is_one(at_ns: int, text: str) -> None:
    assert rfc3339(at_ns) == text


def test_times_lose_their_unit_and_unknown_ones_are_null() -> None:
    cause = {"summary": "s", "at_ns": AT_NS}
    document = alert_document(alert(causes=[cause]))
    assert document["started_at"] == "2026-11-18T11:06:40.000000Z"
    assert document["worked_until"] is None
    assert document["causes"] == [{"summary": "s", "at": "2026-11-18T11:06:40.000000Z"}]
    assert not [name for name in document if name.endswith("_ns")]


@given(st.text())
def test_text_of_any_kind_stays_on_one_line(text: str) -> None:
    line = text_of({"message": text})
    assert len(line.splitlines()) == 1
    assert json.loads(line) == {"message": text}
