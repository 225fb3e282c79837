"""The run that Kibana and the cookbook are asked about: something of everything happens that a page shows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from confluent_kafka import Producer

from schemas.topic import FLOWS_RAW
from tests.support.lab import talking
from tests.support.observed import Observed, observed
from tests.support.stack import RunningStack
from tests.support.watch import Alert, await_alerts, await_drift, await_windows, told
from tests.system.test_policies import CLOSED, TRIED, tear_out

USER: Final = "alice@example.org"
"""Who changes policies."""
UNUSABLE: Final = b"no container"
"""What somebody sends who is no agent."""
_CUT: Final = "shop/payment"
_TORN: Final = "data/postgres"


@contextmanager
def eventful_run(stack: RunningStack, directory: Path) -> Iterator[Observed]:
    """After its traffic, with all results indexed and searchable.

    Jobs came and went, a policy too by somebody's hand, one is staged, one is torn out of a kernel, a pod failed its
    probe, and one message was no container.
    """
    with observed(stack, directory) as run:
        _send_unusable(run)
        _write_event(run)
        with talking(run.lab):
            _change_policies(run, directory)
        run.await_results()
        # What connections do as they time out would else be told between two questions.
        run.system.stop()
        yield run


def _change_policies(run: Observed, directory: Path) -> None:
    tried, closed = directory / "tried.yaml", directory / "closed.yaml"
    tried.write_text(yaml.safe_dump(TRIED))
    closed.write_text(yaml.safe_dump(CLOSED))
    run.lab.apply(tried, user=USER)
    await_windows(run, {("shop/frontend", _CUT)}, 2)
    run.lab.apply(closed, user=USER)
    await_alerts(run, "a break", lambda alerts: bool(_breaks(alerts)))
    run.lab.delete(closed, user=USER)
    # Each pod that comes has all rules enforced anew.
    await_drift(run, lambda: tear_out(run, _TORN))
    await_alerts(run, "its end", lambda alerts: {alert["status"] for alert in _breaks(alerts)} == {"resolved"})


def _breaks(alerts: list[Alert]) -> list[Alert]:
    return told(alerts, "communication-break", _CUT)


def _write_event(run: Observed) -> None:
    """A Kubernetes Event of a pod, beside the lab's objects."""
    pod = run.lab.pod(_CUT)
    now = datetime.now(UTC).isoformat()
    event: dict[str, Any] = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "payment.1", "namespace": "shop", "uid": "payment-1"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod.name}, "type": "Warning", "count": 3,
        "reason": "Unhealthy", "message": "Readiness probe failed", "firstTimestamp": now, "lastTimestamp": now,
    }  # fmt: skip
    fresh = run.lab.cluster_directory / "event.fresh"
    fresh.write_text(json.dumps(event))
    fresh.replace(run.lab.cluster_directory / "event.yaml")


def _send_unusable(run: Observed) -> None:
    kafka = run.settings.kafka
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})
    producer.produce(FLOWS_RAW.full_name(kafka.topic_prefix), UNUSABLE, b"nobody", partition=0)
    assert producer.flush(30) == 0
