"""What is read of many partitions is told in the order in which Kafka took it, and who has nothing holds nobody up."""

from streams.alert.signal.intake import Intake, Place
from streams.alert.signal.message import Message

EVENTS, NODES = ("k8s.events", 0), ("nodes", 3)


def message(place: Place, offset: int, written_at_ns: int) -> Message:
    return Message(*place, offset, b"", b"", None, written_at_ns=written_at_ns)


class Reading:
    """An intake of partitions with so many records each."""

    def __init__(self, **ends: int) -> None:
        self.intake = Intake()
        for place in (EVENTS, NODES):
            self.intake.begin(place, 0, ends[place[0].split(".")[-1]], at=0)

    def read(self, *messages: Message, began_ns: int = 0, at: float = 0) -> list[tuple[str, int]]:
        for one in messages:
            self.intake.add(one, at)
        return [(told.topic, told.offset) for told in self.intake.take(began_ns, at)]


def test_what_one_partition_gives_waits_for_what_another_may_still_give() -> None:
    reading = Reading(events=2, nodes=3)
    assert reading.read(message(EVENTS, 0, 100), message(EVENTS, 1, 900)) == []
    assert reading.intake.until_ns == 0
    assert reading.read(message(NODES, 0, 50), message(NODES, 1, 500)) == [
        ("nodes", 0), ("k8s.events", 0), ("nodes", 1),
    ]  # fmt: skip
    assert reading.intake.until_ns == 500
    assert reading.intake.positions == {EVENTS: 1, NODES: 2}
    assert reading.read(message(NODES, 2, 800)) == [("nodes", 2), ("k8s.events", 1)]
    assert reading.intake.until_ns is None
    assert reading.intake.positions == {EVENTS: 2, NODES: 3}


def test_a_partition_at_its_end_holds_nothing_up_and_neither_does_one_that_has_only_markers_left() -> None:
    reading = Reading(events=1, nodes=2)
    reading.read(message(NODES, 0, 10))
    reading.intake.pass_end(NODES, at=1)
    assert reading.read(message(EVENTS, 0, 900), at=1) == [("nodes", 0), ("k8s.events", 0)]
    assert reading.intake.until_ns is None
    assert reading.intake.positions[NODES] == 1


def test_a_partition_falls_behind_anew() -> None:
    reading = Reading(events=0, nodes=0)
    assert reading.read(began_ns=1000) == []
    reading.intake.look(NODES, 2)
    assert reading.read(message(NODES, 0, 1200), message(EVENTS, 0, 1500), began_ns=1400) == [("nodes", 0)]
    assert reading.intake.until_ns == 1200
    assert reading.read(message(NODES, 1, 1300), began_ns=1600) == [("nodes", 1), ("k8s.events", 0)]


def test_what_comes_after_an_end_was_taken_after_the_end_was_looked_for() -> None:
    reading = Reading(events=0, nodes=0)
    reading.read(began_ns=1000)
    reading.intake.look(NODES, 1)
    assert reading.read(message(EVENTS, 0, 900)) == [("k8s.events", 0)]
    assert reading.intake.until_ns == 1000


def test_a_partition_keeps_its_order_whatever_clocks_say() -> None:
    reading = Reading(events=1, nodes=3)
    reading.read(message(NODES, 0, 700), message(NODES, 1, 300))
    assert reading.read(message(EVENTS, 0, 500)) == [("k8s.events", 0), ("nodes", 0), ("nodes", 1)]


def test_a_partition_that_gives_nothing_is_waited_for_no_longer_than_a_minute_of_reading() -> None:
    reading = Reading(events=1, nodes=1)
    assert reading.read(message(EVENTS, 0, 900), at=59) == []
    reading.intake.wait_anew(at=500)  # nobody read in between
    assert reading.read(at=501) == []
    assert reading.read(at=561) == [("k8s.events", 0)]


def test_who_is_far_ahead_is_read_no_more_until_the_others_come_nearer() -> None:
    reading = Reading(events=100_000, nodes=100_000)
    reading.read(*(message(EVENTS, offset, 1000 + offset) for offset in range(20_000)))
    assert (reading.intake.to_resume(), reading.intake.to_pause()) == ([], [EVENTS])
    assert reading.intake.to_pause() == []
    reading.read(message(NODES, 0, 8_000), at=900)
    assert reading.intake.to_resume() == []
    reading.read(message(NODES, 1, 12_000), at=1800)
    assert reading.intake.until_ns == 12_000
    assert (reading.intake.to_resume(), reading.intake.to_pause()) == ([EVENTS], [])


def test_who_was_far_ahead_and_is_waited_for_now_is_read_again() -> None:
    reading = Reading(events=100_000, nodes=100_000)
    reading.read(*(message(NODES, offset, 1000 + offset) for offset in range(100)))
    reading.read(*(message(EVENTS, offset, 2000 + offset) for offset in range(20_000)))
    reading.intake.to_pause()
    reading.read(*(message(NODES, offset, 30_000 + offset) for offset in range(100, 20_100)))
    assert reading.intake.to_pause() == [NODES]
    assert reading.intake.to_resume() == [EVENTS]
