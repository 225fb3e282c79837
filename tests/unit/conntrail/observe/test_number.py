import pytest

from conntrail.observe.condition import FilterError
from conntrail.observe.number import Within, ports, statuses
from tests.unit.conntrail.observe.documents import answers
from tests.unit.conntrail.observe.view.documents import http


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("404", (404, 404)), ("5xx", (500, 599)), ("5+", (500, 599)), ("40x", (400, 409)), ("40+", (400, 409)),
        ("5XX", (500, 599)), ("500-503", (500, 503)),
    ],
)  # fmt: skip
def test_a_status_is_one_or_a_class(text: str, expected: tuple[int, int]) -> None:
    assert statuses([text]) == (expected,)
    assert Within(("http.response.status_code",), statuses(["404, 5xx"])).matches(http())


@pytest.mark.parametrize("text", ["", "5", "50", "6xx", "099", "5x", "503-500", "404+", "x", "٤04", "200-699"])
def test_what_is_no_status_is_a_mistake(text: str) -> None:
    with pytest.raises(FilterError, match="--http-status"):
        statuses([text])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["80"], ((80, 80),)), (["8000-8100"], ((8000, 8100),)), (["080,443"], ((80, 80), (443, 443))),
        (["1", "2"], ((1, 1), (2, 2))),
    ],
)  # fmt: skip
def test_ports_are_numbers_and_ranges(texts: list[str], expected: tuple[tuple[int, int], ...]) -> None:
    assert ports(texts) == expected


@pytest.mark.parametrize("text", ["", "http", "70000", "-1", "90-80", "1-70000", "80,", "٨0", "1" * 30])
def test_what_is_no_port_is_a_mistake(text: str) -> None:
    with pytest.raises(FilterError, match="--port"):
        ports([text])


def test_the_query_finds_the_same() -> None:
    for text, expected in (("5xx", True), ("404", False)):
        wanted = Within(("http.response.status_code",), statuses([text]))
        assert wanted.matches(http()) is answers(wanted.query(), http()) is expected
