"""Messages become alerts in the order of their time, silence is noticed, and what cannot be read is a dead letter."""

from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.schema import blank_record, read_schema
from schemas.topic import CHANGES, DEAD_LETTER, KUBERNETES_EVENTS, NODES, SILENCES, WINDOWS, Topic
from streams.alert.desk import TOPICS, Desk
from streams.alert.engine import Engine
from streams.alert.log.position import pack_positions, unpack_positions
from streams.alert.log.store import ChangedStore
from streams.alert.rule.builtin import builtin_rules
from streams.alert.settings import AlertSettings
from streams.alert.signal.intake import Intake
from streams.alert.signal.lag import Written, lags_of
from streams.alert.signal.message import Message
from streams.alert.signal.record import signals_of
from streams.alert.writer import FencedError, fault_of
from streams.errors import StreamError, WriteError
from tests.unit.streams.alert.builders import MINUTE, SECOND, START
from tests.unit.streams.alert.test_signal import a_window


class Office:
    """A desk, its store, and the messages that it is handed."""

    def __init__(self, store: ChangedStore | None = None, *, since_ns: int = 0, learning_seconds: float = 3600) -> None:
        self.store = store or ChangedStore({})
        settings = AlertSettings(learning_seconds=learning_seconds)
        self.desk = Desk(Engine(builtin_rules(), settings, self.store), "test", self.store, since_ns)
        self._offset = 0

    def again(self, since_ns: int = 0) -> "Office":
        """As after a restart."""
        return Office(ChangedStore(dict(self.store)), since_ns=since_ns)

    def message(self, topic: Topic, **facts: Any) -> Message:
        self._offset += 1
        record = {**blank_record(read_schema(topic.schema)), **facts}
        return Message(topic.name, 0, self._offset, b"", b"", record)

    def heard(self, node: str, end_ns: int, coverage: str = "complete", *, written_at_ns: int = 0) -> Message:
        told = self.message(
            NODES, node=node, interval_start_ns=end_ns - 10 * SECOND, interval_end_ns=end_ns, coverage=coverage
        )
        return told._replace(written_at_ns=written_at_ns)

    def happened(self, at_ns: int) -> Message:
        """A Kubernetes event, told at once."""
        told = self.message(KUBERNETES_EVENTS, last_seen_at_ns=at_ns, type="Normal", reason="Pulled", uid=str(at_ns))
        return told._replace(written_at_ns=at_ns)

    def failing(self, at_ns: int, *, lag_ns: int = 0) -> Message:
        """A window in which an edge was denied, written a while after its end."""
        record = a_window(
            "denied",
            id=f"w{at_ns}",
            timestamp_ns=at_ns + MINUTE,
            event={"start_ns": at_ns, "end_ns": at_ns + MINUTE, "action": "denied"},
            flow={"connections": {"started": 0, "completed": 0, "denied": 9, "failed": 0, "active": 9}},
        )
        return self.message(WINDOWS, **record)._replace(written_at_ns=at_ns + MINUTE + lag_ns)

    def catch_up(self, now_ns: int, *batches: list[Message]) -> list[dict[str, Any]]:
        """Read what lies there in these batches, as a worker does that was away."""
        intake, found = Intake(), []
        every = [message for batch in batches for message in batch]
        for place in {(message.topic, message.partition) for message in every}:
            offsets = [message.offset for message in every if (message.topic, message.partition) == place]
            intake.begin(place, min(offsets), max(offsets) + 1, at=0)
        for batch in batches:
            for message in batch:
                intake.add(message, at=0)
            found += self.desk.take(intake.take(now_ns, at=0), now_ns).alerts
            found += self.desk.advance(now_ns if intake.until_ns is None else min(now_ns, intake.until_ns))
        return found

    def pass_time(self, start_ns: int, end_ns: int) -> list[dict[str, Any]]:
        found = []
        for now_ns in range(start_ns, end_ns, SECOND):
            found += self.desk.advance(now_ns)
        return found


def test_a_node_that_falls_silent_is_blind_until_it_speaks_again() -> None:
    office = Office()
    office.desk.take([office.heard("node1", START)], START)
    told = []
    for turn in range(30):
        now_ns = START + turn * 10 * SECOND
        told += office.desk.take([office.heard("node2", now_ns)], now_ns).alerts
        told += office.pass_time(now_ns, now_ns + 10 * SECOND)
    assert {(record["rule"], record["subject"]["node"]) for record in told} == {("node-blind", "node1")}
    assert [record["status"] for record in told].count("open") == 1
    assert told[0]["started_at_ns"] >= START
    [ended] = office.desk.take([office.heard("node1", START + 5 * MINUTE)], START).alerts
    assert (ended["id"], ended["status"]) == (told[0]["id"], "resolved")


def test_silence_is_noticed_over_a_restart_and_not_of_a_node_that_was_deleted() -> None:
    office = Office()
    office.desk.take([office.heard("node1", START), office.heard("node2", START)], START)
    office.desk.advance(START)
    again = Office(ChangedStore(dict(office.store)))
    gone = again.message(CHANGES, id="c1", kind="Node", name="node2", action="deleted", at_ns=START + SECOND)
    again.desk.take([gone], START)
    told = again.pass_time(START + MINUTE, START + 4 * MINUTE)
    assert {record["subject"]["node"] for record in told} == {"node1"}


def test_nodes_whose_reports_are_read_after_what_happened_later_are_not_blind() -> None:
    office = Office()
    nodes = ("node1", "node2", "node3")
    office.desk.take([office.heard(node, START) for node in nodes], START)
    office.desk.advance(START)
    again = office.again()
    now_ns = START + 5 * MINUTE
    happened = [again.happened(now_ns - turn * SECOND) for turn in (4, 2)]
    ends = range(START + 10 * SECOND, now_ns, 10 * SECOND)
    heard = [again.heard(node, end_ns, written_at_ns=end_ns + SECOND) for end_ns in ends for node in nodes]
    assert again.catch_up(now_ns, happened[:1], happened[1:], heard[:40], heard[40:]) == []


def test_what_goes_on_is_not_over_because_another_topic_is_read_first() -> None:
    office = Office(learning_seconds=0)
    told = _told_denials(office)
    again = office.again()
    denials = [again.failing(START + turn * MINUTE) for turn in range(7, 40)]
    happened = [again.happened(START + turn * MINUTE) for turn in range(7, 40)]
    told += again.catch_up(START + 42 * MINUTE, happened, denials[:2], denials[2:9], denials[9:])
    assert _turns(told) == [("policy-denied", "open")]


def test_what_a_lagging_stage_tells_late_is_not_over_because_another_topic_is_in_time() -> None:
    lag_ns = 12 * MINUTE
    office = Office(learning_seconds=0)
    told = _told_denials(office, lag_ns=lag_ns)
    denials = [office.failing(START + turn * MINUTE, lag_ns=lag_ns) for turn in range(7, 23)]
    happened = [office.happened(START + turn * MINUTE) for turn in range(20, 36)]
    there = sorted([*denials, *happened], key=lambda message: message.written_at_ns)
    told += office.desk.take(there, START + 36 * MINUTE).alerts
    assert _turns(told) == [("policy-denied", "open")]


def test_nobody_was_silent_while_nobody_made_alerts() -> None:
    office = Office(learning_seconds=0)
    told = _told_denials(office)
    told += office.desk.take([office.heard("node1", START + 7 * MINUTE)], START + 7 * MINUTE).alerts
    told += office.desk.advance(START + 7 * MINUTE)
    since_ns = START + 60 * MINUTE
    again = office.again(since_ns)
    told += again.catch_up(since_ns, [again.happened(START + turn * MINUTE) for turn in range(8, 60)])
    told += again.pass_time(since_ns, since_ns + MINUTE)
    assert _turns(told) == [("policy-denied", "open")]
    told = again.pass_time(since_ns + MINUTE, since_ns + 11 * MINUTE)
    assert _turns(told) == [("node-blind", "open"), ("policy-denied", "resolved")]


def test_a_node_of_which_is_told_late_all_the_time_is_not_blind() -> None:
    office = Office()
    for turn in range(60):
        now_ns = START + turn * 10 * SECOND
        assert office.desk.take([office.heard("node1", now_ns - 3 * MINUTE)], now_ns).alerts == []
        assert office.pass_time(now_ns, now_ns + 10 * SECOND) == []


def test_a_node_stays_blind_until_it_is_deleted_and_a_late_report_of_it_is_none() -> None:
    office = Office()
    office.desk.take([office.heard("node1", START), office.heard("node2", START)], START)
    told = []
    for turn in range(1, 5 * 60):
        now_ns = START + turn * MINUTE
        told += office.desk.take([office.heard("node2", now_ns)], now_ns).alerts + office.desk.advance(now_ns)
        told += office.desk.advance(now_ns + 30 * SECOND)
    assert _turns(told) == [("node-blind", "open")]
    assert {one["subject"]["node"] for one in told} == {"node1"}
    gone_ns = START + 5 * 60 * MINUTE
    gone = office.message(CHANGES, id="c1", kind="Node", name="node1", action="deleted", at_ns=gone_ns)
    told = office.desk.take([gone], gone_ns).alerts
    told += office.desk.take([office.heard("node1", gone_ns + SECOND)], gone_ns + MINUTE).alerts
    for turn in range(1, 60):
        now_ns = gone_ns + turn * MINUTE
        told += office.desk.take([office.heard("node2", now_ns)], now_ns).alerts + office.desk.advance(now_ns)
    assert _turns(told) == [("node-blind", "resolved")]


def test_a_new_node_whose_agent_never_speaks_is_blind_after_a_while() -> None:
    office = Office()
    made = office.message(CHANGES, id="c1", kind="Node", name="node1", action="created", at_ns=START)
    office.desk.take([made], START)
    assert office.pass_time(START, START + 10 * MINUTE) == []
    told = office.pass_time(START + 10 * MINUTE, START + 12 * MINUTE)
    assert _turns(told) == [("node-blind", "open")]


def test_what_cannot_be_read_is_a_dead_letter_but_a_dead_letter_makes_none() -> None:
    office = Office()
    bad = [Message(topic.name, 0, 5, b"k", b"v", None, "not ours") for topic in (NODES, DEAD_LETTER)]
    outcome = office.desk.take([*bad, Message(NODES.name, 0, 6, b"k", None, None)], START)
    [(topic, letter)] = outcome.dead_letters
    assert (topic, letter["stage"], letter["reason"], letter["offset"]) == (NODES.name, "alerts", "not ours", 5)


def test_many_dead_letters_are_an_alert_of_their_stage() -> None:
    office = Office()
    letters = [office.message(DEAD_LETTER, stage="flows", observed_at_ns=START + turn) for turn in range(12)]
    opened = office.desk.take(letters, START).alerts + office.pass_time(START, START + 20 * SECOND)
    assert [(record["rule"], record["subject"]["stage"]) for record in opened] == [("dead-letters", "flows")]


def test_a_stage_that_lags_is_told_until_it_has_caught_up() -> None:
    office = Office()
    told: list[dict[str, Any]] = []

    def hear(turn: int, lag_ns: int) -> None:
        end_ns = START + turn * 10 * SECOND
        heard = office.heard("node1", end_ns, written_at_ns=end_ns + lag_ns)
        told.extend(office.desk.take([heard], end_ns + lag_ns).alerts)

    for turn in range(12):
        hear(turn, 150 * SECOND)
    assert [(record["rule"], record["subject"]["stage"]) for record in told] == [("pipeline-lag", "flows")]
    assert told[0]["message"] == "Stage flows is 150 s behind"
    hear(12, 5 * SECOND)
    assert [record["status"] for record in told] == ["open", "resolved"]


def test_what_an_agent_kept_while_it_was_away_is_no_lag_of_a_stage() -> None:
    office = Office()
    for turn in range(12):
        now_ns = START + turn * 10 * SECOND
        kept = office.heard("node2", now_ns - 10 * MINUTE, written_at_ns=now_ns)
        assert office.desk.take([kept, office.heard("node1", now_ns, written_at_ns=now_ns)], now_ns).alerts == []


def test_alerts_that_are_read_late_are_a_lag_of_their_own_stage() -> None:
    late = [Written(WINDOWS.name, START, START + SECOND)]
    assert [(one.stage, one.lag_seconds) for one in lags_of(late, START + 301 * SECOND)] == [("alerts", 300)]
    assert lags_of([], START) == []


def test_every_topic_of_the_stage_makes_signals_and_our_own_events_make_none() -> None:
    for topic in TOPICS:
        if topic not in (DEAD_LETTER, SILENCES):
            record = blank_record(read_schema(topic.schema))
            assert isinstance(signals_of(topic.name, record, None), list)
    event = blank_record(read_schema(KUBERNETES_EVENTS.schema))
    assert signals_of(KUBERNETES_EVENTS.name, {**event, "component": "kubelet"}, None)
    assert not signals_of(KUBERNETES_EVENTS.name, {**event, "component": "conntrail"}, None)


def test_the_store_tells_what_changed_once() -> None:
    store = ChangedStore({"a": b"1", "b": b"2"})
    assert store.take_changes() == {}
    store["a"] = b"3"
    del store["b"]
    store["c"] = b"4"
    assert store.take_changes() == {"a": b"3", "b": None, "c": b"4"}
    assert (store.take_changes(), dict(store)) == ({}, {"a": b"3", "c": b"4"})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError.PRODUCER_FENCED, FencedError),
        (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, StreamError),
        (KafkaError.REQUEST_TIMED_OUT, WriteError),
    ],
)
def test_what_kafka_refuses_for_good_ends_the_worker_and_an_absence_does_not(
    code: int, kind: type[StreamError]
) -> None:
    assert type(fault_of(KafkaError(code))) is kind


def test_positions_come_back_as_they_were() -> None:
    positions = {("windows", 0): 5, ("windows", 11): 7, ("k8s.events", 2): 0}
    assert unpack_positions(pack_positions(positions)) == positions


def test_a_record_that_is_dated_ahead_makes_it_no_later_than_it_is() -> None:
    office = Office()
    office.desk.take([office.heard("node1", START + MINUTE)], START)
    assert office.desk._engine._now_ns == START


def _told_denials(office: Office, *, lag_ns: int = 0) -> list[dict[str, Any]]:
    """What is told of an edge that is denied for seven minutes."""
    told = []
    for turn in range(7):
        failing = office.failing(START + turn * MINUTE, lag_ns=lag_ns)
        told += office.desk.take([failing], failing.written_at_ns).alerts
        told += office.desk.advance(failing.written_at_ns + SECOND)
    return told


def _turns(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What opened and resolved."""
    return [(record["rule"], record["status"]) for record in told if record["status"] != "updated"]
