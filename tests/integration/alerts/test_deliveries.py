"""Alerts on a real Kafka that reach receivers by HTTP, whatever becomes of some of them."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topic import ALERT_DELIVERIES, DEAD_LETTER
from tests.support.alerts import AlertTopics, alert, resolved, silence, worker
from tests.support.waiting import until
from tests.support.webhook import Webhook, closed_port, silent_port, webhook

pytestmark = pytest.mark.stack
_HOUR_NS = 3_600_000_000_000


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as made:
        yield made


def _file(directory: Path, **receivers: str) -> str:
    """Of receivers, each by the lines of its table."""
    path = directory / "receivers.toml"
    path.write_text("\n".join(f"[receivers.{name}]\n{lines}\n" for name, lines in receivers.items()))
    return str(path)


def _lines(url: str, kind: str = "json", *more: str) -> str:
    return "\n".join((f'kind = "{kind}"', f'url = "{url}"', *more))


def test_beginning_update_and_end_arrive_once_each_also_over_a_kill(
    topics: AlertTopics, tmp_path: Path, hook: Webhook
) -> None:
    settings = {"ALERTS__RECEIVERS": _file(tmp_path, own=_lines(hook.url)), "WORKER__ID": "deliverer"}
    with worker(topics, tmp_path, "deliveries", **settings) as sending:
        topics.send(alert("a1"))
        until(lambda: hook.alerts() == [("open", "a1")])
        topics.send(alert("a1", 2))
        until(lambda: hook.alerts()[1:] == [("update", "a1")])
        until(lambda: any(found["revision"] == 2 for found in topics.records(ALERT_DELIVERIES)))
        sending.stop(signal.SIGKILL)
    now_ns = time.time_ns()
    topics.send(alert("brief", started_at_ns=now_ns), resolved("brief", started_at_ns=now_ns, resolved_at_ns=now_ns))
    with worker(topics, tmp_path, "deliveries", **settings):
        until(lambda: ("resolve", "brief") in hook.alerts())
        topics.send(resolved("a1"))
        until(lambda: ("resolve", "a1") in hook.alerts())
    assert hook.alerts() == [("open", "a1"), ("update", "a1"), ("resolve", "brief"), ("resolve", "a1")]
    assert len({call.headers["Idempotency-Key"] for call in hook.calls}) == 4


def test_a_receiver_that_never_answers_and_one_that_refuses_delay_nobody(
    topics: AlertTopics, tmp_path: Path, hook: Webhook
) -> None:
    with silent_port() as silent:
        path = _file(
            tmp_path, aaa=_lines(silent, "json", 'timeout = "30s"'), bbb=_lines(closed_port()), own=_lines(hook.url)
        )
        with worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path) as sending:
            for number in range(20):
                topics.send(alert(f"a{number}"))
                until(lambda count=number + 1: len(hook.calls) == count, sending.log, seconds=20)
            until(lambda: 'conntrail_worker_delivery_failed_tries_total{receiver="bbb"}' in sending.metrics())
            assert 'conntrail_worker_delivery_delivered_alerts_total{receiver="own"} 20.0' in sending.metrics()
    assert sorted(hook.alerts()) == sorted(("open", f"a{number}") for number in range(20))


def test_what_a_receiver_refuses_is_a_dead_letter_and_what_it_postpones_comes_later(
    topics: AlertTopics, tmp_path: Path, hook: Webhook
) -> None:
    hook.statuses, hook.headers = [503, 429, 400], {"Retry-After": "0"}
    path = _file(tmp_path, own=_lines(hook.url))
    with worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path) as sending:
        topics.send(alert("refused"))
        until(lambda: len(topics.records(DEAD_LETTER)) == 1, sending.log)
        topics.send(alert("taken"))
        until(lambda: hook.alerts() == [("open", "taken")])
    (letter,) = topics.records(DEAD_LETTER)
    assert (letter["stage"], letter["reason"], letter["key"]) == ("deliveries", "receiver own: status 400", b"refused")
    assert b'"id":"refused"' in letter["value"]


def test_after_the_time_that_it_is_given_an_alert_is_a_dead_letter(topics: AlertTopics, tmp_path: Path) -> None:
    path = _file(tmp_path, gone=_lines(closed_port(), "json", 'give_up = "1s"'))
    with worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path) as sending:
        topics.send(alert("a1"), alert("a2"))
        until(lambda: len(topics.records(DEAD_LETTER)) == 2, sending.log)
    assert all("given up after 1 s: no connection" in letter["reason"] for letter in topics.records(DEAD_LETTER))


def test_a_silence_holds_back_what_is_open_and_not_an_end_whose_beginning_was_told(
    topics: AlertTopics, tmp_path: Path, hook: Webhook
) -> None:
    path = _file(tmp_path, own=_lines(hook.url))
    now_ns = time.time_ns()
    lasting = {**silence("s1", now_ns + _HOUR_NS, namespace="shop"), "created_at_ns": now_ns}
    with worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path) as sending:
        topics.send(alert("told"))
        until(lambda: hook.alerts() == [("open", "told")])
        topics.silence(lasting)
        until(lambda: 'conntrail_worker_notice_records_total{topic="alerts.silences"} 1.0' in sending.metrics())
        topics.send(alert("held"), alert("over"), resolved("over", resolved_at_ns=time.time_ns()))
        topics.send(resolved("told"))
        until(lambda: hook.alerts()[1:] == [("resolve", "told")])
        until(lambda: 'conntrail_worker_delivery_held_alerts{receiver="own"} 1.0' in sending.metrics())
        topics.silence({**lasting, "ends_at_ns": time.time_ns()})
        until(lambda: hook.alerts()[2:] == [("open", "held")], sending.log)


def test_of_two_workers_one_sends_and_the_other_takes_over(topics: AlertTopics, tmp_path: Path, hook: Webhook) -> None:
    path = _file(tmp_path, own=_lines(hook.url))
    with (
        worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path) as first,
        worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path) as second,
    ):
        leads = "conntrail_worker_delivery_leader 1.0"
        until(lambda: (leads in first.metrics()) != (leads in second.metrics()))
        topics.send(alert("a1"))
        until(lambda: hook.alerts() == [("open", "a1")])
        leader, other = (first, second) if leads in first.metrics() else (second, first)
        leader.stop(signal.SIGKILL)
        until(lambda: leads in other.metrics())
        topics.send(alert("a2"))
        until(lambda: ("open", "a2") in hook.alerts())
    # What the leader sent and had not noted when it was killed, the other sends again.
    assert list(dict.fromkeys(hook.alerts())) == [("open", "a1"), ("open", "a2")]


def test_a_file_that_changes_is_taken_and_a_bad_one_leaves_all_as_it_is(
    topics: AlertTopics, tmp_path: Path, hook: Webhook
) -> None:
    path = _file(tmp_path, own=_lines(hook.url), gone=_lines(closed_port()))
    with webhook() as other, worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path) as sending:
        topics.send(alert("a1"))
        until(lambda: hook.alerts() == [("open", "a1")])
        _file(tmp_path, own=_lines("ftp://nowhere"))
        until(lambda: "conntrail_worker_delivery_file_refused 1.0" in sending.metrics(), sending.log)
        assert "line 1: receiver own: url: expected http" in sending.log()
        topics.send(alert("a2"))
        until(lambda: ("open", "a2") in hook.alerts())
        _file(tmp_path, own=_lines(other.url), new=_lines(hook.url, "json", 'rules = ["none"]'))
        until(lambda: 'conntrail_worker_delivery_file_changes_total{outcome="taken"} 1.0' in sending.metrics())
        assert "conntrail_worker_delivery_file_refused 0.0" in sending.metrics()
        topics.send(resolved("a1"), alert("a3"))
        until(lambda: len(other.calls) == 2, sending.log)
        until(lambda: 'conntrail_worker_delivery_waiting_alerts{receiver="gone"}' not in sending.metrics())
    assert sorted(other.alerts()) == [("open", "a3"), ("resolve", "a1")]
    assert hook.alerts() == [("open", "a1"), ("open", "a2")]


def test_a_file_of_receivers_that_is_of_no_use_is_one_line(topics: AlertTopics, tmp_path: Path) -> None:
    path = _file(tmp_path, own=_lines("ftp://nowhere"))
    with (
        pytest.raises(AssertionError, match="receiver own: url: expected http"),
        worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=path),
    ):
        pass
