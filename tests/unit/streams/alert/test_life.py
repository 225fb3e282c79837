"""Open, updated, resolved; grouped and damped."""

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.alert.rule.parse import parse_rules
from streams.alert.signal.end import NOWHERE, End
from tests.unit.streams.alert.builders import (
    CHECKOUT,
    DATABASE,
    DENY,
    FRONTEND,
    MINUTE,
    SECOND,
    SETTLED,
    START,
    change,
    denial,
    failed,
    node,
    window,
)
from tests.unit.streams.alert.scenes import AT, CLIENTS, cut, settled, world


def test_a_cut_edge_is_told_with_all_that_is_known_of_it() -> None:
    made = settled()
    made.take(change(made, at=SETTLED))
    cut(made)
    (alert,) = made.records
    assert alert["status"] == "open"
    assert alert["message"] == "shop/frontend no longer reaches data/db:5432/tcp: denied"
    assert alert["subject"]["source.workload"] == "shop/frontend"
    assert alert["policies"] == [DENY]
    assert alert["workloads"] == ["shop/frontend", "data/db"]
    assert (alert["worked_since_ns"], alert["worked_until_ns"]) == (START, START + 5 * MINUTE)
    assert alert["started_at_ns"] == AT
    assert alert["count"] == 2
    assert alert["causes"][0] | {"evidence": []} == {
        "kind": "policy", "object": "NetworkPolicy/data/db-ingress", "summary": "NetworkPolicy changed", "by": "ci-bot",
        "at_ns": SETTLED, "confidence": 0.95, "evidence": [],
    }  # fmt: skip
    assert alert["suggestions"][0] == "conntrail policy explain workload/shop/frontend workload/data/db:5432"


def test_every_record_fits_the_schema() -> None:
    made = settled(FRONTEND, CHECKOUT)
    cut(made, FRONTEND, CHECKOUT)
    made.window(FRONTEND, at=SETTLED + 2 * MINUTE)
    made.advance(SETTLED + 20 * MINUTE)
    codec = SingleObjectCodec(read_schema("alert"))
    names = {field["name"] for field in read_schema("alert")["fields"]}
    assert {record["status"] for record in made.records} == {"open", "resolved"}
    for record in made.records:
        assert set(record) == names
        assert codec.decode(codec.encode(record)) == record


def test_the_contrary_resolves_at_once() -> None:
    made = settled()
    cut(made)
    (resolved,) = made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED + MINUTE))
    assert resolved["status"] == "resolved"
    assert resolved["resolved_at_ns"] == SETTLED + 2 * MINUTE
    assert resolved["revision"] > made.records[0]["revision"]
    assert made.open() == {}


def test_a_success_earlier_in_the_same_window_resolves_nothing() -> None:
    made = settled()
    cut(made, at=SETTLED + 30 * SECOND)
    assert made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED)) == []
    assert set(made.open()) == {"communication-break"}


def test_an_old_connection_that_lives_on_does_not_prove_that_new_ones_work() -> None:
    made = settled()
    cut(made)
    made.window(at=SETTLED + MINUTE, started=0, active=1)
    assert set(made.open()) == {"communication-break"}


def test_an_edge_that_fails_now_and_then_is_no_break() -> None:
    made = settled()
    for minute in range(5):
        at = SETTLED + minute * MINUTE
        made.take(window(made.place("windows"), FRONTEND, DATABASE, at=at, **failed("refused")))
        made.take(window(made.place("windows"), FRONTEND, DATABASE, at=at))
        made.advance(at + MINUTE)
    assert made.records == []


def test_what_is_quiet_for_long_enough_is_over() -> None:
    made = settled()
    cut(made)
    made.advance(AT + 4 * MINUTE)
    assert set(made.open()) == {"communication-break"}
    made.advance(AT + 6 * MINUTE)
    assert made.open() == {}
    assert made.records[-1]["reason"] == "quiet for 300 s"


def test_a_cut_namespace_is_one_alert() -> None:
    made = settled(*CLIENTS)
    made.take(change(made, at=SETTLED))
    cut(made, *CLIENTS)
    (alert,) = made.records
    assert alert["member_count"] == len(CLIENTS)
    assert len(alert["members"]) == 50
    assert len(alert["workloads"]) == 64
    assert alert["subject"]["scope"] == "data"
    assert alert["subject"]["destination.workload"] == "data/db"
    assert "source.workload" not in alert["subject"]
    assert alert["causes"][0]["by"] == "ci-bot"


def test_a_group_is_over_when_all_of_it_is() -> None:
    sources = CLIENTS[:4]
    made = settled(*sources)
    cut(made, *sources)
    for source in sources[:3]:
        made.take(window(made.place("windows"), source, DATABASE, at=SETTLED + MINUTE))
    made.advance(SETTLED + 3 * MINUTE)
    assert [record["status"] for record in made.records] == ["open", "updated"]
    assert made.records[-1]["members"] == ["shop/app3 → data/db:5432/tcp"]
    made.take(window(made.place("windows"), sources[3], DATABASE, at=SETTLED + 2 * MINUTE))
    resolved = made.records[-1]
    assert (resolved["status"], resolved["started_at_ns"]) == ("resolved", AT)
    told = ("message", "members", "member_count", "workloads", "subject")
    assert [resolved[name] for name in told] == [made.records[0][name] for name in told]


def test_alerts_that_were_told_alone_become_part_of_a_group() -> None:
    sources = CLIENTS[:4]
    made = settled(*sources)
    for number, source in enumerate(sources):
        cut(made, source, at=AT + 10 * number * SECOND)
    assert [(record["status"], record["member_count"]) for record in made.records[:5]] == [
        ("open", 1), ("open", 1), ("resolved", 1), ("resolved", 1), ("open", 3),
    ]  # fmt: skip
    assert made.records[2]["reason"].startswith("now part of alert")
    made.advance(AT + MINUTE)
    assert [alert["member_count"] for alert in made.open().values()] == [4]


def test_updates_are_told_seldom_and_only_with_something_new() -> None:
    made = settled(update_seconds=30)
    cut(made)
    for number in range(100):
        made.take(denial(made, FRONTEND, DATABASE, at=AT + number * SECOND))
        made.advance(AT + (number + 3) * SECOND)
    statuses = [record["status"] for record in made.records]
    assert statuses[0] == "open"
    assert set(statuses[1:]) == {"updated"}
    assert 2 <= len(statuses) <= 4
    count = made.records[-1]["count"]
    made.advance(AT + 130 * SECOND)
    made.advance(AT + 200 * SECOND)
    assert made.records[-1]["count"] == count


def test_windows_and_prompt_denials_of_the_same_attempts_are_counted_once() -> None:
    made = settled()
    cut(made)
    made.window(at=SETTLED, **failed("denied", 2))
    made.advance(AT + 3 * MINUTE)
    assert made.records[-1]["count"] == 2


def test_what_comes_and_goes_stays_open_until_it_is_quiet() -> None:
    made = settled()
    for number in range(6):
        at = SETTLED + number * 2 * MINUTE
        cut(made, at=at + SECOND)
        made.take(window(made.place("windows"), FRONTEND, DATABASE, at=at + MINUTE))
    statuses = [record["status"] for record in made.records if record["status"] != "updated"]
    assert statuses == ["open", "resolved", "open", "resolved", "open"]
    assert made.engine.counters.damped == 1
    assert len({record["id"] for record in made.records}) == 1
    made.advance(SETTLED + 40 * MINUTE)
    assert made.open() == {}


def test_revisions_of_one_alert_rise_also_when_it_was_forgotten() -> None:
    made = settled(remember_seconds=60)
    cut(made)
    made.advance(AT + 10 * MINUTE)
    made.advance(AT + 20 * MINUTE)
    cut(made, at=AT + 30 * MINUTE)
    revisions = [record["revision"] for record in made.records]
    assert len(revisions) == 3
    assert revisions == sorted(set(revisions))


def test_news_are_none_while_baselines_fill_but_a_break_is_one_from_the_first_success() -> None:
    made = world()
    made.window(at=START)
    made.window(destination=End("billing", "Deployment", "ledger"), at=START + MINUTE)
    cut(made, at=START + 3 * MINUTE)
    assert made.fired() == {"communication-break"}


def test_an_alert_of_a_rule_that_is_gone_is_resolved() -> None:
    made = settled()
    cut(made)
    made.rules = parse_rules(
        "- {id: other, title: t, category: node, severity: low, signal: node, when: lost > 5, text: t}", "f"
    ).rules
    made.restart()
    made.advance(AT + MINUTE)
    assert made.records[-1]["reason"] == "its rule is no more"


def test_what_finds_no_room_is_counted() -> None:
    made = settled(*CLIENTS[:5], maximum_findings=3)
    cut(made, *CLIENTS[:5])
    assert made.engine.counters.refused_findings >= 2
    assert made.records[0]["member_count"] == 3


def test_what_matters_little_leaves_room_for_what_matters_more() -> None:
    made = settled(maximum_findings=20)
    for step in range(4):
        for port in range(1000, 1030):
            facts = {"port": port, "direction": "inbound"}
            made.take(denial(made, NOWHERE, CHECKOUT, at=AT + 5 * step * SECOND, **facts))
    made.advance(AT + 20 * SECOND)
    assert set(made.open()) == {"policy-denied"}
    assert made.engine.counters.refused_findings > 0
    cut(made, at=AT + 20 * SECOND)
    assert "communication-break" in made.open()


def test_a_group_of_more_than_are_told_apart_is_over_when_all_of_it_is() -> None:
    sources = [End("shop", "Deployment", f"app{number}") for number in range(2003)]
    made = world()
    for minute in range(2):
        made.take(*(window(made.place("windows"), source, DATABASE, at=START + minute * MINUTE) for source in sources))
        made.advance(START + (minute + 1) * MINUTE)
    made.settle()
    cut(made, *sources)
    mended = (window(made.place("windows"), source, DATABASE, at=SETTLED + MINUTE) for source in sources[:-2])
    made.take(*mended)
    made.advance(SETTLED + 3 * MINUTE)
    (alert,) = made.open().values()
    assert alert["members"] == ["shop/app2001 → data/db:5432/tcp", "shop/app2002 → data/db:5432/tcp"]
    made.take(*(window(made.place("windows"), one, DATABASE, at=SETTLED + 3 * MINUTE) for one in sources[-2:]))
    (resolved,) = (record for record in made.records if record["status"] == "resolved")
    assert resolved["member_count"] == 2000


def test_alerts_that_are_over_make_room_for_new_ones() -> None:
    made = world(maximum_alerts=2)
    for number in range(4):
        for step in range(4):
            made.take(node(made, "blind", at=SETTLED + (number * 100 + step * 10) * SECOND, name=f"node{number}"))
        made.advance(SETTLED + (number * 100 + 50) * SECOND)
        made.take(node(made, "complete", at=SETTLED + (number * 100 + 60) * SECOND, name=f"node{number}"))
    assert [record["status"] for record in made.records] == ["open", "resolved"] * 4
    assert made.engine.counters.refused_alerts == 0


def test_what_stays_open_with_nothing_new_is_told_again_as_it_was_once_a_day() -> None:
    made = settled()
    for turn in range(60 * 60):
        made.take(node(made, "blind", at=SETTLED + turn * MINUTE))
        made.advance(SETTLED + turn * MINUTE + 10 * SECOND)
    told = [record for record in made.records if record["rule"] == "node-blind"]
    days = [[record for record in told if record["revision"] == last] for last in {one["revision"] for one in told}]
    assert max(map(len, days)) >= 2
    assert all(record == words[0] for words in days for record in words)
    assert [record["status"] for record in told].count("open") == 1
