"""``kubectl conntrail alerts`` by the real API of alerts, where a port-forward would lead."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conntrail.kubectl.alert.command import app
from conntrail.kubectl.alert.reader import VARIABLE
from conntrail.kubectl.errors import KubectlError
from tests.support.alerts import AlertTopics, alert, alert_topics, resolved, worker
from tests.support.waiting import until

pytestmark = pytest.mark.stack
_TOKEN = "correct-horse"  # a test's own
_RUN = "from conntrail.kubectl.alert.command import app; app()"


@pytest.fixture
def environment(kafka: str, tmp_path: Path) -> Iterator[tuple[AlertTopics, dict[str, str]]]:
    with alert_topics(kafka) as topics, worker(topics, tmp_path, "subscriptions", API__TOKEN=_TOKEN) as served:
        yield topics, {VARIABLE: f"http://{served.address}", "CONNTRAIL_API__TOKEN": _TOKEN, "COLUMNS": "200"}


def _list(settings: dict[str, str], *words: str) -> str:
    done = CliRunner(env=settings).invoke(app, ["list", *words])
    assert done.exit_code == 0, done.exception
    return done.stdout


def test_alerts_are_listed_and_followed_with_a_token(environment: tuple[AlertTopics, dict[str, str]]) -> None:
    topics, settings = environment
    topics.send(alert("a1", namespace="shop"), alert("b1", namespace="data"), resolved("c1", namespace="shop"))
    until(lambda: {one["id"] for one in json.loads(_list(settings, "-o", "json"))} == {"a1", "b1"})
    table = _list(settings, "-n", "shop", "--rule", "*", "-o", "wide")
    assert "a1" in table
    command = [sys.executable, "-c", _RUN, "follow", "-n", "shop", "--from", "active", "-o", "jsonl"]
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) as followed:
        assert followed.stdout is not None
        assert json.loads(followed.stdout.readline())["id"] in ("a1", "b1")
        topics.send(resolved("a1", namespace="shop"))
        lines = iter(followed.stdout.readline, "")
        assert any(json.loads(line)["status"] == "resolved" for line in lines)
        followed.terminate()


def test_without_the_token_it_is_told_what_to_set(environment: tuple[AlertTopics, dict[str, str]]) -> None:
    _, settings = environment
    refused = CliRunner(env=settings | {"CONNTRAIL_API__TOKEN": "wrong"}).invoke(app, ["list"])
    assert isinstance(refused.exception, KubectlError)
    assert "CONNTRAIL_API__TOKEN" in str(refused.exception)
