"""``conntrail alerts`` as people run it, on a real Kafka."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from schemas.topic import ALERTS, SILENCES
from tests.support.alerts import AlertTopics, alert, resolved
from tests.support.pipeline import run_command

pytestmark = pytest.mark.stack


def _run(topics: AlertTopics, *words: str) -> subprocess.CompletedProcess[str]:
    return run_command(topics.environment(), "alerts", *words)


def _ids(topics: AlertTopics, *words: str) -> list[str]:
    answer = _run(topics, "list", "-o", "jsonl", *words)
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line)["id"] for line in answer.stdout.splitlines()]


def test_open_alerts_are_listed_and_one_is_shown_whole(topics: AlertTopics) -> None:
    cause = {
        "kind": "policy", "object": "NetworkPolicy/data/postgres", "summary": "policy data/postgres was applied",
        "by": "ann\x1b[2J", "at_ns": 1, "confidence": 0.9, "evidence": ["2 s before"],
    }  # fmt: skip
    topics.send(alert("abc1", causes=[cause]), alert("abd2", severity="low"), alert("over"), resolved("over"))
    topics.send_bytes(ALERTS, "bad", b"no record")
    assert set(_ids(topics)) == {"abc1", "abd2"}
    assert _ids(topics, "--status", "resolved") == ["over"]
    assert len(_ids(topics, "--all")) == 3
    assert _ids(topics, "--severity", "low", "-n", "sh*") == ["abd2"]
    table = _run(topics, "list")
    assert "shop/frontend is denied data/postgres:5432" in table.stdout
    assert "INCOMPLETE: 1 records" in table.stderr
    shown = _run(topics, "show", "abc")
    assert r"90% policy data/postgres was applied, NetworkPolicy/data/postgres, by ann\x1b[2J" in shown.stdout
    assert json.loads(_run(topics, "show", "abc1", "-o", "json").stdout)["causes"][0]["by"] == "ann\x1b[2J"
    for wrong, code in ((("show", "ab"), 1), (("show", "none"), 1), (("list", "--severity", "loud"), 2)):
        answer = _run(topics, *wrong)
        assert answer.returncode == code
        assert "Traceback" not in answer.stderr


def test_what_is_followed_comes_as_it_happens(topics: AlertTopics) -> None:
    topics.send(alert("before"), alert("gone"), resolved("gone"))
    command = [sys.executable, "-m", "conntrail", "alerts", "follow", "--from", "active", "--severity", "high"]
    with subprocess.Popen(
        command, env=topics.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        first = following.stdout.readline()
        topics.send(alert("quiet", severity="low"), resolved("before", resolved_at_ns=time.time_ns()))
        second = following.stdout.readline()
        following.send_signal(signal.SIGINT)
        _, errors = following.communicate(timeout=120)
    assert first.endswith("HIGH open communication-break shop/frontend is denied data/postgres:5432 [before]\n")
    assert "HIGH resolved communication-break" in second
    assert (following.returncode, errors) == (0, "")


def test_silences_are_made_listed_and_ended(topics: AlertTopics) -> None:
    made = _run(
        topics, "silence", "--rule", "dns-*", "--match", "port=53", "--for", "2h", "--comment", "resolver moves"
    )
    assert made.returncode == 0, made.stderr
    silence_id = made.stdout.strip()
    (record,) = topics.records(SILENCES)
    assert (record["id"], record["matchers"]) == (silence_id, {"rule": "dns-*", "port": "53"})
    assert record["ends_at_ns"] - record["created_at_ns"] == 7200 * 10**9
    assert "port=53, rule=dns-*" in _run(topics, "silence", "list").stdout
    assert _run(topics, "silence", "end", silence_id[:8]).stdout.strip() == silence_id
    assert _run(topics, "silence", "list").stderr == "no silence lasts\n"
    assert json.loads(_run(topics, "silence", "list", "--all", "-o", "jsonl").stdout)["is_active"] is False
    assert _run(topics, "silence", "end", silence_id).returncode == 1
    assert _run(topics, "silence", "--rule", "x").returncode == 2
    assert _run(topics, "silence", "--rule", "*", "--for", "2h").returncode == 2


def test_where_there_is_no_topic_it_is_said_what_to_do(topics: AlertTopics) -> None:
    environment = {**topics.environment(KAFKA__TOPIC_PREFIX="nobodys."), "PATH": os.environ["PATH"]}
    answer = run_command(environment, "alerts", "list")
    assert (answer.returncode, len(answer.stderr.splitlines())) == (1, 1)
    assert "run conntrail setup" in answer.stderr
