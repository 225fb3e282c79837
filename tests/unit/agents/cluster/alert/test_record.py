from typing import Any

from agents.cluster.alert.record import alert_events
from agents.cluster.inventory import Inventory
from tests.support.alerts import AT_NS, alert, resolved


def _inventory(*names: str) -> Inventory:
    inventory = Inventory("test", 1 << 60)
    for name in names:
        namespace, _, own = name.partition("/")
        metadata = {
            "namespace": namespace,
            "name": own,
            "uid": f"uid-{own}",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        value: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": {}}
        inventory.apply(value, AT_NS)
    return inventory


def test_an_event_is_about_a_workload_that_is_there() -> None:
    (event,) = alert_events(_inventory("data/postgres"), alert(), AT_NS)
    assert event.namespace == "data"
    assert event.body["involvedObject"] == {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "namespace": "data", "name": "postgres", "uid": "uid-postgres",
    }  # fmt: skip
    assert (event.body["type"], event.body["firstTimestamp"]) == ("Warning", "2026-11-18T11:06:40Z")
    assert alert_events(_inventory(), alert(), AT_NS) == []


def test_what_is_told_again_has_the_same_name_and_an_end_another() -> None:
    inventory = _inventory("data/postgres")
    records = (alert(), alert("a1", 2), resolved(), alert("a1", 12, started_at_ns=AT_NS + 1))
    names = [event.name for record in records for event in alert_events(inventory, record, AT_NS)]
    assert names[0] == names[1]
    assert len(set(names)) == 3


def test_events_of_one_alert_are_few_and_fit_the_api_server() -> None:
    names = [f"data/w{number}" for number in range(20)]
    events = alert_events(_inventory(*names), alert(workloads=names, message="m" * 5000), AT_NS)
    assert len(events) == 4
    assert all(len(event.body["message"]) <= 1024 for event in events)


def test_what_is_silenced_is_not_told() -> None:
    assert alert_events(_inventory("data/postgres"), alert(silenced_until_ns=AT_NS + 1), AT_NS) == []
