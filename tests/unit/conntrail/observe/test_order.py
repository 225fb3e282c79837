from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.newest import stamp
from conntrail.observe.order import in_order, last_words, last_words_in_order
from schemas.topic import FLOWS, KUBERNETES_EVENTS
from streams.index.document import Document as Told
from streams.index.documents import document_of
from tests.unit.streams.index.builders import AT_NS, flow
from tests.unit.streams.index.cluster_builders import kubernetes_event

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


def _told(second: int, action: str, revision: int = 1, name: str = "a") -> Told:
    """Of a span a second; what is told in a revision after the first replaces."""
    record = flow(f"{name}-{second}", revision, replaces=revision > 1, timestamp_ns=AT_NS + second * 1_000_000_000)
    record["flow"]["id"] = name
    record["event"]["action"] = action
    return document_of(FLOWS, record, "default")


def _nothing(second: int, revision: int) -> Told:
    """The word that nothing is left of a span."""
    record = flow("", revision, replaces=True, timestamp_ns=AT_NS + second * 1_000_000_000)
    return document_of(FLOWS, record, "default")


def _is_failed(document: Document) -> bool:
    return bool(document["event"]["action"] == "failed")


def _failed(told: Iterable[Told], limit: int | None = 20, is_from_oldest: bool = False, most: int = 5000) -> list[str]:
    """Names of the flows that failed, which a list of them and a sum must agree on."""
    log = list(told)
    listed = list(last_words_in_order(lambda: log, _is_failed, limit, is_from_oldest, lambda _: None, most=most))
    if limit is None or len(listed) < limit:
        summed = sorted(document["flow"]["id"] for document in last_words(log, _is_failed, most=most))
        assert summed == sorted(document["flow"]["id"] for document in listed)
    return [document["flow"]["id"] for document in listed]


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([_told(1, "failed"), _told(1, "allowed", 2)], []),
        ([_told(1, "allowed"), _told(1, "failed", 2)], ["a"]),
        ([_told(1, "failed"), _told(1, "failed", 2)], ["a"]),
        ([_told(1, "failed"), _told(1, "allowed", 2, "b")], []),
        ([_told(1, "failed"), _told(1, "failed", 2, "b")], ["b"]),
        ([_told(1, "failed"), _nothing(1, 2)], []),
        ([_told(1, "failed"), _nothing(2, 2)], ["a"]),
        ([_told(1, "failed"), _told(2, "allowed", 2)], ["a"]),
    ],
)
def test_the_last_word_of_a_topic_is_filtered_whichever_partition_comes_first(
    log: list[Told], expected: list[str], is_reversed: bool
) -> None:
    assert _failed(reversed(log) if is_reversed else log) == expected


@pytest.mark.parametrize("is_reversed", [False, True])
def test_an_event_is_what_is_told_of_it_last(is_reversed: bool) -> None:
    first = document_of(KUBERNETES_EVENTS, kubernetes_event(workloads=[]), "default")
    last = document_of(KUBERNETES_EVENTS, kubernetes_event(workloads=["shop/x"]), "default")
    log = [last, first] if is_reversed else [first, last]

    def is_of_nobody(document: Document) -> bool:
        return "workloads" not in document["related"]

    said: list[str] = []
    assert list(last_words_in_order(lambda: log, is_of_nobody, 20, False, said.append)) == []
    assert list(last_words(log, is_of_nobody)) == []
    assert list(last_words(log, lambda _: True)) == [last.body]


@pytest.mark.parametrize("is_from_oldest", [False, True])
def test_what_is_outdated_takes_no_place_of_what_is_not(is_from_oldest: bool) -> None:
    outdated = 9 if not is_from_oldest else 0
    log = [_told(outdated, "failed", name=f"stale-{number:04}") for number in range(1500)]
    log[500:500] = [_told(5, "failed", name="x"), _told(6, "failed", name="y")]
    log.append(_told(outdated, "allowed", 2, "other"))
    assert _failed(log, 3, is_from_oldest) == ["x", "y"]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.sampled_from("abc")), max_size=30), st.randoms())
def test_a_topic_gives_what_an_index_holds_in_any_order(steps: list[tuple[int, bool, str]], random: Any) -> None:
    revisions: dict[int, int] = {}
    log: list[Told] = []
    for second, fails, name in steps:
        revisions[second] = revisions.get(second, 0) + 1
        log.append(_told(second, "failed" if fails else "allowed", revisions[second], name))
    held = {
        (second, name) for number, (second, fails, name) in enumerate(steps)
        if fails and second not in {later for later, _, _ in steps[number + 1 :]}
    }  # fmt: skip
    random.shuffle(log)
    found = last_words_in_order(lambda: log, _is_failed, None, False, lambda _: None)
    stamps = [(stamp(document), document["flow"]["id"]) for document in found]
    assert stamps == sorted((f"2026-11-23T18:32:{second:02}.123Z", name) for second, name in held)
    assert len(list(last_words(log, _is_failed))) == len(held)


def test_what_waits_to_be_told_again_is_bounded() -> None:
    read = 0

    def log() -> Iterator[Told]:
        nonlocal read
        for read in range(1, 1001):
            yield _told(read, "failed", name=f"{read}")

    assert next(iter(last_words(log(), _is_failed, most=10)))["flow"]["id"] == "1"
    assert read == 11
