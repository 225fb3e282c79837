from collections.abc import Iterator
from typing import Any

import pytest

from conntrail.observe.newest import stamp
from conntrail.observe.order import in_order

Document = dict[str, Any]


def _flows(count: int) -> Iterator[Document]:
    """The oldest last."""
    for number in reversed(range(count)):
        yield {
            "@timestamp": f"2026-11-23T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
            "flow": {"id": str(number)},
        }


def test_of_more_than_there_is_room_for_the_oldest_are_shown_and_how_to_go_on_is_said() -> None:
    said: list[str] = []
    found = list(in_order(_flows(20_000), None, is_from_oldest=False, say=said.append, most=500))
    assert found == list(_flows(500))[::-1]
    (line,) = said
    assert line.startswith("INCOMPLETE: more than 500 fit")
    assert f"go on with --since {stamp(found[-1])}," in line


def test_who_goes_on_as_it_is_said_sees_everything() -> None:
    seen: list[Document] = []
    since = ""
    while True:
        said: list[str] = []
        rest = (flow for flow in _flows(1000) if stamp(flow) >= since)
        seen += list(in_order(rest, None, is_from_oldest=False, say=said.append, most=300))
        if not said:
            break
        since = stamp(seen[-1])
    assert {flow["flow"]["id"] for flow in seen} == {str(number) for number in range(1000)}
    assert seen == sorted(seen, key=stamp)


@pytest.mark.parametrize(("is_from_oldest", "side"), [(True, "first"), (False, "last")])
def test_more_than_were_asked_for_is_said_and_what_fits_is_not(is_from_oldest: bool, side: str) -> None:
    said: list[str] = []
    assert len(list(in_order(_flows(3000), 5, is_from_oldest, said.append))) == 5
    assert said == [f"the {side} 5 of more: --{side} N shows N, --since and --until those of a span"]
    said.clear()
    assert len(list(in_order(_flows(5), 5, is_from_oldest, said.append))) == 5
    assert said == []
