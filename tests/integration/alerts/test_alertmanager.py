"""A real Alertmanager shows what is open, and that it is over."""

from pathlib import Path

import pytest

from schemas.topic import DEAD_LETTER
from tests.support.alertmanager import alertmanager, program
from tests.support.alerts import AlertTopics, alert, resolved, worker
from tests.support.waiting import until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(program() is None, reason="prometheus-alertmanager is not installed"),
]


def test_an_alertmanager_shows_the_alert_and_its_resolution(topics: AlertTopics, tmp_path: Path) -> None:
    receivers = tmp_path / "receivers.toml"
    with alertmanager() as running:
        link = 'link = "https://conntrail.example/alerts/{id}"'
        receivers.write_text(
            f'[receivers.am]\nkind = "alertmanager"\nurl = "{running.url}"\nseverity = "medium"\n{link}\n'
        )
        with worker(topics, tmp_path, "deliveries", ALERTS__RECEIVERS=str(receivers)) as sending:
            topics.send(alert("a1"), alert("a2", severity="low"), alert("a3", namespace="", reason="", subject={}))
            until(lambda: len(running.alerts()) == 2, sending.log)
            shown = {found["labels"]["conntrail_id"]: found for found in running.alerts()}
            assert shown.keys() == {"a1", "a3"}
            assert shown["a1"]["labels"] == {
                "alertname": "communication-break", "severity": "high", "category": "connectivity",
                "cluster": "test", "namespace": "shop", "conntrail_id": "a1",
            }  # fmt: skip
            assert shown["a1"]["annotations"]["summary"] == "shop/frontend is denied data/postgres:5432"
            assert shown["a1"]["generatorURL"] == "https://conntrail.example/alerts/a1"
            assert shown["a1"]["startsAt"].startswith("2026-11-18T11:06:40.000")
            topics.send(resolved("a1"))
            until(lambda: [found["labels"]["conntrail_id"] for found in running.alerts()] == ["a3"], sending.log)
    assert topics.records(DEAD_LETTER) == []
