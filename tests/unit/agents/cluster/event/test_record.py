"""Events of both API groups as one record; whatever they hold, a record comes out."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.event.book import EventBook
from agents.cluster.event.record import event_record, is_event, object_of
from agents.cluster.touch import NOTHING, Touched
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec

_SECOND = 1_000_000_000
_NOON = 1_767_268_800 * _SECOND  # 2026-01-01T12:00:00Z
_CODEC = SingleObjectCodec(read_schema("kubernetes_event"))
_METADATA = {"name": "web.1", "namespace": "shop", "uid": "e1", "resourceVersion": "7"}
_ABOUT = {"kind": "Pod", "namespace": "shop", "name": "web", "uid": "p1"}
_CORE = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": _METADATA,
    "involvedObject": _ABOUT,
    "type": "Warning",
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
    "source": {"component": "kubelet", "host": "node1"},
    "count": 3,
    "firstTimestamp": "2026-01-01T12:00:00Z",
    "lastTimestamp": "2026-01-01T12:00:05Z",
}
_SERIES = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": _METADATA,
    "regarding": _ABOUT,
    "type": "Warning",
    "reason": "BackOff",
    "note": "Back-off restarting failed container",
    "reportingController": "kubelet",
    "deprecatedSource": {"host": "node1"},
    "eventTime": "2026-01-01T12:00:00.000000Z",
    "series": {"count": 3, "lastObservedTime": "2026-01-01T12:00:05.000000Z"},
}
_EXPECTED = {
    "cluster": "test",
    "uid": "e1",
    "namespace": "shop",
    "kind": "Pod",
    "name": "web",
    "object_uid": "p1",
    "type": "Warning",
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
    "component": "kubelet",
    "node_name": "node1",
    "count": 3,
    "first_seen_at_ns": _NOON,
    "last_seen_at_ns": _NOON + 5 * _SECOND,
    "workload_kind": "Deployment",
    "workload_name": "web",
    "service_name": "",
    "workloads": ["shop/web"],
    "resource_version": "7",
}
_TOUCHED = Touched("Deployment", "web", "", ("shop/web",))
_HOSTILE: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from(["9999-12-31T00:00:00Z", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def test_both_groups_say_the_same() -> None:
    assert event_record("test", _CORE, _TOUCHED) == _EXPECTED
    assert event_record("test", _SERIES, _TOUCHED) == _EXPECTED
    assert _CODEC.decode(_CODEC.encode(_EXPECTED)) == _EXPECTED
    assert object_of(_CORE) == object_of(_SERIES) == ("Pod", "shop", "web")
    assert is_event(_CORE)
    assert is_event(_SERIES)
    assert not is_event({"apiVersion": "example.org/v1", "kind": "Event"})


def test_a_message_is_cut_to_four_kibibytes_of_whole_characters() -> None:
    message = event_record("test", {**_CORE, "message": "ä" * 5000}, NOTHING)["message"]
    assert message == "ä" * 2048


@given(st.dictionaries(st.sampled_from([*_CORE, *_SERIES]), _HOSTILE))
def test_whatever_an_event_holds_a_record_comes_out(value: dict[str, Any]) -> None:
    _CODEC.encode(event_record("test", value, NOTHING))


def test_an_event_is_told_once_for_every_count_and_never_back() -> None:
    book = EventBook()

    def know(count: int, version: str = "") -> bool:
        return book.know({**_EXPECTED, "count": count, "resource_version": version})

    assert [know(1), know(1), know(3), know(2), know(3), know(4)] == [True, False, True, False, False, True]
    other = {**_EXPECTED, "uid": "e2", "resource_version": "9"}
    assert [book.know(other), book.know({**other, "count": 9})] == [True, False]


def test_events_that_are_remembered_are_bounded() -> None:
    book = EventBook()
    assert all(book.know({**_EXPECTED, "uid": str(number)}) for number in range(65_537))
    assert book.know({**_EXPECTED, "uid": "0"})
    assert not book.know({**_EXPECTED, "uid": "65536"})
