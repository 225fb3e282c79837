"""Who had which address when: reuse, late news, and no two pods at once."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.address.ledger import AddressLedger, Holder, Interval

_ADDRESS = "10.0.0.1"


def _interval(ledger: AddressLedger, uid: str) -> tuple[int, int | None]:
    (found,) = ledger.intervals(uid)
    return found.assigned_at_ns, found.released_at_ns


def test_an_address_is_held_from_the_pods_start_though_it_is_seen_later() -> None:
    ledger = AddressLedger()
    ledger.update(Holder("a", "Pod//a", 100), [_ADDRESS], None, 150)
    assert _interval(ledger, "a") == (100, None)


def test_the_end_of_the_former_is_the_border_when_it_was_seen_first() -> None:
    ledger = AddressLedger()
    ledger.update(Holder("a", "Pod//a", 100), [_ADDRESS], None, 110)
    ledger.update(Holder("a", "Pod//a", 100), [_ADDRESS], 150, 150)
    ledger.update(Holder("b", "Pod//b", 140), [_ADDRESS], None, 160)
    assert (_interval(ledger, "a"), _interval(ledger, "b")) == ((100, 150), (150, None))


def test_a_pod_that_takes_over_ends_the_former_and_names_it() -> None:
    ledger = AddressLedger()
    ledger.update(Holder("a", "Pod//a", 100), [_ADDRESS], None, 110)
    assert ledger.update(Holder("b", "Pod//b", 140), [_ADDRESS], None, 160) == {"Pod//a"}
    ledger.update(Holder("a", "Pod//a", 100), [_ADDRESS], 200, 200)
    assert (_interval(ledger, "a"), _interval(ledger, "b")) == ((100, 140), (140, None))


def test_a_completed_pod_listed_after_the_live_one_does_not_take_its_address() -> None:
    ledger = AddressLedger()
    ledger.update(Holder("live", "Pod//live", 100), [_ADDRESS], None, 1000)
    ledger.update(Holder("done", "Pod//done", 50), [_ADDRESS], 1000, 1000)
    assert (_interval(ledger, "done"), _interval(ledger, "live")) == ((50, 100), (100, None))


def test_a_live_pod_keeps_its_address_whatever_the_order_of_the_topics_records() -> None:
    ledger = AddressLedger()
    live, done = Holder("live", "Pod//live", 70), Holder("done", "Pod//done", 70)
    ledger.restore(live, Interval(_ADDRESS, 70, None))
    ledger.restore(done, Interval(_ADDRESS, 70, 70))
    ledger.update(live, [_ADDRESS], None, 100)
    assert _interval(ledger, "live") == (70, None)


def test_after_a_restart_a_pod_that_gave_way_does_not_grow_over_what_the_topic_has_forgotten() -> None:
    ledger = AddressLedger()
    old, new = Holder("old", "Pod//old", 10), Holder("new", "Pod//new", 90)
    # Between them was a third, whose record is gone since.
    ledger.restore(old, Interval(_ADDRESS, 10, 50))
    ledger.restore(new, Interval(_ADDRESS, 90, None))
    assert ledger.update(old, [_ADDRESS], None, 100) == set()
    ledger.update(new, [_ADDRESS], None, 100)
    assert (_interval(ledger, "old"), _interval(ledger, "new")) == ((10, 50), (90, None))


def test_what_is_forgotten_keeps_its_time() -> None:
    ledger = AddressLedger()
    ledger.update(Holder("a", "Pod//a", 100), [_ADDRESS], None, 110)
    ledger.update(Holder("a", "Pod//a", 100), [_ADDRESS], 150, 150)
    ledger.update(Holder("b", "Pod//b", 140), [_ADDRESS], None, 160)
    ledger.forget("a")
    ledger.update(Holder("b", "Pod//b", 140), [_ADDRESS], None, 170)
    assert _interval(ledger, "b") == (150, None)


_STEPS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 60), st.booleans()), max_size=30)


@given(_STEPS)
def test_two_pods_never_have_an_address_at_once(steps: list[tuple[str, int, bool]]) -> None:
    ledger = AddressLedger()
    for number, (uid, age, is_over) in enumerate(steps):
        now = 100 + number
        started = {"a": 10, "b": 40, "c": 70, "d": 100, "e": 120}[uid] + age // 30
        ledger.update(Holder(uid, uid, started), [_ADDRESS], now if is_over else None, now)
    held = sorted(
        (interval.assigned_at_ns, float("inf") if interval.released_at_ns is None else interval.released_at_ns)
        for uid in "abcde"
        for interval in ledger.intervals(uid)
    )
    assert all(former[1] <= latter[0] for former, latter in pairwise(held))
    assert all(start <= end for start, end in held)
