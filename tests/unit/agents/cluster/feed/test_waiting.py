"""What waits for its object to become known."""

from agents.cluster.feed.waiting import Waiting
from schemas.topic import KUBERNETES_AUDIT, KUBERNETES_EVENTS

_SECOND = 1_000_000_000


def test_what_waits_is_told_once_when_its_object_is_known() -> None:
    waiting = Waiting()
    waiting.hold("Pod/shop/a", KUBERNETES_EVENTS, {"uid": "e"}, 0)
    waiting.hold("Pod/shop/a", KUBERNETES_AUDIT, {"audit_id": "a"}, 1)
    waiting.hold("Pod/shop/b", KUBERNETES_AUDIT, {"audit_id": "b"}, 1)
    expected = [(KUBERNETES_EVENTS, {"uid": "e"}), (KUBERNETES_AUDIT, {"audit_id": "a"})]
    assert waiting.release("Pod/shop/a", 2) == expected
    assert waiting.release("Pod/shop/a", 3) == []


def test_nothing_waits_for_more_than_a_minute() -> None:
    waiting = Waiting()
    waiting.hold("a", KUBERNETES_EVENTS, {}, 0)
    waiting.hold("a", KUBERNETES_EVENTS, {"uid": "late"}, 2 * _SECOND)
    assert waiting.release("a", 61 * _SECOND) == [(KUBERNETES_EVENTS, {"uid": "late"})]


def test_what_waits_is_bounded() -> None:
    waiting = Waiting()
    for number in range(4097):
        waiting.hold(str(number), KUBERNETES_EVENTS, {}, 0)
    for number in range(20):
        waiting.hold("4096", KUBERNETES_EVENTS, {"uid": str(number)}, 0)
    assert waiting.release("0", 1) == []
    assert [record["uid"] for _, record in waiting.release("4096", 1)] == [str(number) for number in range(4, 20)]
