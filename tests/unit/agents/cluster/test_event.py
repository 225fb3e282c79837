"""A watch's bytes as events, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.api.event import StreamError, parse_event, split_lines
from agents.cluster.api.fault import fault_of
from agents.errors import AgentError, ConflictError, ExpiredError, MissingError, ReadError, RightsError


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))), st.integers(1, 7))
def test_lines_are_the_same_wherever_the_stream_is_cut(lines: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert list(split_lines(chunks)) == lines


def test_an_unfinished_line_is_dropped() -> None:
    assert list(split_lines([b"whole\nunfin"])) == [b"whole"]


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(StreamError):
        list(split_lines(b"x" * (1 << 20) for _ in range(20)))


@given(st.binary())
def test_any_bytes_are_an_event_or_an_error(line: bytes) -> None:
    try:
        event = parse_event(line)
    except StreamError:
        return
    assert isinstance(event.version, str)


def test_an_expiry_carries_its_code() -> None:
    event = parse_event(b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}')
    assert (event.type, event.code, event.reason) == ("ERROR", 410, "too old")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, RightsError),
        (403, RightsError),
        (404, MissingError),
        (409, ConflictError),
        (410, ExpiredError),
        (500, ReadError),
    ],
)
def test_a_refusal_is_one_line_that_names_verb_and_resource(status: int, kind: type[AgentError]) -> None:
    fault = fault_of(status, b'{"message": "words\\nof the server"}', "list", "pods")
    assert type(fault) is kind
    assert "list" in str(fault)
    assert "pods" in str(fault)
    assert "\n" not in str(fault)
