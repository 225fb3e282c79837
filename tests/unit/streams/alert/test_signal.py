"""Records as their schemas have them, made signals."""

from typing import Any

import pytest

from schemas.schema import blank_record, read_schema
from streams.alert.signal.end import NOWHERE, End
from streams.alert.signal.record import signals_of
from streams.alert.signal.signal import Emission, Place, SpanSignal
from streams.window.aggregate import aggregate
from streams.window.record import window_records
from tests.unit.streams.alert.builders import MINUTE, SETTLED
from tests.unit.streams.window.builders import STAMP, denied, directory, frame, judged, through_avro

PLACE = Place("topic", 1, 7)


def record(schema: str, **fields: Any) -> dict[str, Any]:
    """A blank one with some fields; of nested records only those that are named change."""
    made = blank_record(read_schema(schema))
    for name, value in fields.items():
        made[name] = {**made[name], **value} if isinstance(value, dict) and isinstance(made[name], dict) else value
    return made


def workload(namespace: str, kind: str, name: str, node: str = "") -> dict[str, Any]:
    return {
        "namespace": namespace or None, "pod": None, "workload": {"kind": kind, "name": name},
        "node": {"name": node} if node else None, "service": None, "labels": {},
    }  # fmt: skip


def a_window(action: str = "allowed", **fields: Any) -> dict[str, Any]:
    counts = {"started": 3, "completed": 0, "denied": 0, "failed": 0, "active": 4}
    chosen: dict[str, Any] = {
        "id": "w1", "revision": 2, "partition": 4, "timestamp_ns": SETTLED + MINUTE,
        "event": {"start_ns": SETTLED, "end_ns": SETTLED + MINUTE, "action": action},
        "flow": {"coverage": "complete", "connections": counts},
        "network": {"transport": "tcp", "direction": "internal", "packets": 90, "bytes": 9000},
        "source": {"kubernetes": workload("shop", "Deployment", "frontend", "node1")},
        "destination": {"kubernetes": workload("data", "StatefulSet", "db"), "port": 5432, "bytes": 4000},
        "tcp": {"rtt_us": {"p50": 700, "p95": 900, "max": 1000}, "retransmits": 3, "lost": 0},
        **fields,
    }  # fmt: skip
    return record("window", **chosen)


def test_a_window_tells_of_its_edge() -> None:
    (signal,) = signals_of("windows", a_window(), PLACE)
    assert (signal.source, signal.destination) == (
        End("shop", "Deployment", "frontend"),
        End("data", "StatefulSet", "db"),
    )
    assert (signal.port, signal.transport, signal.started, signal.active) == (5432, "tcp", 3, 4)
    assert (signal.rtt_us, signal.retransmits, signal.nodes) == (700, 3, ("node1",))
    assert signal.emission == Emission("w1", 2, 4, SETTLED + MINUTE)
    assert signal.place == PLACE


def test_a_window_of_which_nothing_is_left_tells_that_its_span_is_stale() -> None:
    assert signals_of("windows", a_window(id="", replaces=True), PLACE) == [SpanSignal(PLACE, 4, SETTLED + MINUTE, 2)]
    assert len(signals_of("windows", a_window(replaces=True), PLACE)) == 2


@pytest.mark.parametrize(
    ("action", "reason", "mode"),
    [
        ("allowed", None, ""),
        ("denied", "ingress isolated by NetworkPolicy data/db", "denied"),
        ("failed", "refused: reset by the destination", "refused"),
        ("failed", "no answer", "timeout"),
        ("failed", "no policy explains it: the Service dialled has no endpoint to answer", "no_endpoints"),
        ("failed", "dropped or rejected on the node; no policy explains it, none selects either end", "timeout"),
    ],
)
def test_the_way_it_fails_is_read_from_the_reason(action: str, reason: str | None, mode: str) -> None:
    event = {"start_ns": SETTLED, "end_ns": SETTLED + MINUTE, "action": action, "reason": reason}
    (signal,) = signals_of("windows", a_window(event=event), PLACE)
    assert signal.mode == mode


def test_what_nobody_answered_is_no_success() -> None:
    """UDP is allowed as long as nothing contradicts it, and so is a handshake that has not ended yet."""
    silent = {"kubernetes": workload("data", "StatefulSet", "db"), "port": 53, "bytes": 0}
    (signal,) = signals_of("windows", a_window(destination=silent), PLACE)
    assert (signal.started, signal.active) == (0, 0)


def test_handshakes_that_are_sent_again_in_vain_have_failed() -> None:
    silent = {"kubernetes": workload("data", "StatefulSet", "db"), "port": 5432, "bytes": 0}
    (signal,) = signals_of("windows", a_window(destination=silent, source={"packets": 6}), PLACE)
    assert (signal.action, signal.mode, signal.failed, signal.started) == ("failed", "timeout", 3, 0)
    (signal,) = signals_of("windows", a_window(destination=silent, source={"packets": 5}), PLACE)
    assert signal.action == "allowed"


def test_an_attempt_that_goes_on_through_a_window_is_counted_in_it() -> None:
    counts = {"started": 0, "completed": 0, "denied": 0, "failed": 0, "active": 2}
    (signal,) = signals_of("windows", a_window("denied", flow={"coverage": "", "connections": counts}), PLACE)
    assert signal.denied == 1


def test_sources_outside_are_one_and_destinations_outside_are_told_apart() -> None:
    outside = {"kubernetes": None, "ip": "203.0.113.9", "port": 443, "bytes": 1}
    (signal,) = signals_of("windows", a_window(source={"kubernetes": None, "ip": "198.51.100.1"}), PLACE)
    assert signal.source == NOWHERE
    (signal,) = signals_of("windows", a_window(destination=outside), PLACE)
    assert signal.destination == End("", "Outside", "203.0.113.9")


def test_a_service_behind_which_nothing_stands_is_the_destination() -> None:
    service = {"name": "db", "namespace": "data", "ip": "10.96.0.1", "port": 5432}
    dialled = {"kubernetes": None, "ip": "10.96.0.1", "port": 5432, "service": service}
    (signal,) = signals_of("windows", a_window("failed", destination=dialled), PLACE)
    assert signal.destination == End("data", "Service", "db")
    assert (signal.service, signal.service_port, signal.port) == ("data/db", 5432, 5432)


def test_a_flow_tells_the_same_as_a_window() -> None:
    flow = record(
        "flow", id="f1", timestamp_ns=SETTLED, event={"start_ns": SETTLED, "end_ns": SETTLED + 1, "action": "allowed"},
        flow={"connections": {"started": 1, "completed": 0, "denied": 0, "failed": 0, "active": 1}},
        destination={"kubernetes": None, "ip": "203.0.113.9", "port": 443, "bytes": 10, "domain": "pay.example"},
        tcp={"state": "", "rtt_us": 500, "rtt_var_us": None, "retransmits": 2, "lost": None, "delivery_rate": None},
    )  # fmt: skip
    (signal,) = signals_of("flows", flow, PLACE)
    assert (signal.domain, signal.started, signal.rtt_us, signal.retransmits) == ("pay.example", 1, 500, 2)


def a_denial(action: str = "denied", reason: str = "ingress denied by NetworkPolicy data/x") -> dict[str, Any]:
    """As schemas/avro/denial.avsc has it."""
    return {
        "id": "d1", "cluster": "default", "timestamp_ns": SETTLED, "count": 3, "begun": 4,
        "evidence": ["attempt", "evaluation"],
        "event": {"start_ns": SETTLED, "end_ns": SETTLED + 5, "duration_ns": 5, "action": action, "reason": reason},
        "network": {"transport": "tcp", "type": "ipv4", "iana_number": 6, "direction": "internal"},
        "source": {"ip": "10.0.0.1", "kubernetes": workload("shop", "Deployment", "frontend", "node1")},
        "destination": {"ip": "10.0.0.2", "port": 5432, "kubernetes": workload("data", "StatefulSet", "db", "node2"),
                        "domain": None, "service": None},
        "policy": {"verdict": "deny", "ingress": {"policies": ["NetworkPolicy:data/x:rule=-1:deny"]},
                   "egress": {"policies": []}, "denied_by": ["NetworkPolicy:data/x:rule=-1:deny"], "pending": [],
                   "drift": False},
        "rule": None, "nearest_miss": "NetworkPolicy data/x, rule 1: wants app=checkout",
        "observer": {"name": "node1", "coverage": "complete"},
    }  # fmt: skip


def test_a_denial_is_dated_by_its_packets() -> None:
    (signal,) = signals_of("denials", a_denial(), PLACE)
    assert signal.is_prompt
    assert (signal.start_ns, signal.end_ns, signal.denied, signal.mode) == (SETTLED, SETTLED + 5, 3, "denied")
    assert signal.nodes == ("node1", "node2")
    assert (signal.identity, signal.nearest_miss[:13]) == ("d1", "NetworkPolicy")


def test_a_refusal_is_told_at_once_too_and_what_was_cut_is_nobodys() -> None:
    (signal,) = signals_of("denials", a_denial("failed", "refused: reset by the destination"), PLACE)
    assert (signal.mode, signal.denied, signal.failed, signal.begun) == ("refused", 0, 3, 4)
    assert signals_of("denials", a_denial("cut"), PLACE) == []


def test_an_exchange_tells_of_its_client_and_what_was_cut_tells_of_nobody() -> None:
    fields: dict[str, Any] = {
        "event": {"start_ns": SETTLED, "end_ns": SETTLED, "action": "answered"}, "count": 4,
        "dns": {"name": "a.example", "response_code": "NOERROR", "answers": ["203.0.113.9"]},
        "source": {"kubernetes": workload("shop", "Deployment", "frontend")},
        "destination": {"kubernetes": workload("kube-system", "Deployment", "coredns"), "port": 53},
        "latency": {"mean_us": 5},
    }  # fmt: skip
    (signal,) = signals_of("dns", record("dns", **fields), PLACE)
    assert (signal.name, signal.count, signal.mean_us, signal.server_port) == ("a.example", 4, 5, 53)
    fields["event"] = {"action": "cut"}
    assert signals_of("dns", record("dns", **fields), PLACE) == []


def test_of_applications_only_requests_that_can_fail_are_told() -> None:
    fields: dict[str, Any] = {"event": {"action": "error"}, "http": {"status": 503, "path": "/x"}, "count": 2}
    (signal,) = signals_of("l7", record("l7", **fields), PLACE)
    assert (signal.action, signal.status, signal.count) == ("error", 503, 2)
    for action in ("hello", "asked", "cut"):
        assert signals_of("l7", record("l7", event={"action": action}), PLACE) == []


def test_changes_events_and_captures_are_told_as_they_are() -> None:
    change = record("change", id="c", kind="EndpointSlice", namespace="data", name="x", service_name="db", at_ns=5)
    (told,) = signals_of("changes", change, PLACE)
    assert (told.service, told.at_ns) == ("data/db", 5)
    (event,) = signals_of("k8s.events", record("kubernetes_event", type="Warning", reason="BackOff"), PLACE)
    assert (event.reason, event.count) == ("BackOff", 1)
    (capture,) = signals_of("captures.status", record("capture_status", id="c", state="failed", dropped=3), PLACE)
    assert (capture.state, capture.dropped) == ("failed", 3)


def test_a_topic_that_tells_nothing_is_an_error() -> None:
    with pytest.raises(KeyError):
        signals_of("flows.raw", {}, PLACE)


def made_by_the_worker(*rows: Any) -> list[Any]:
    records = window_records(aggregate(frame(*rows), directory()), directory(), STAMP)
    return [signal for _, made in records for signal in signals_of("windows", through_avro("window", made), PLACE)]


def test_windows_that_the_worker_makes_are_read() -> None:
    (signal,) = made_by_the_worker(judged())
    assert (signal.source.title, signal.destination.title, signal.started) == ("shop/web", "shop/api", 1)
    (signal,) = made_by_the_worker(denied(destination_bytes=0))
    assert (signal.mode, signal.denied, signal.started) == ("denied", 1, 0)
    assert signal.denied_by == ("NetworkPolicy:shop/api:rule=-1:deny",)


def test_a_service_without_endpoints_is_told_so_by_the_worker() -> None:
    reason = "no policy explains it: the Service dialled has no endpoint to answer"
    (signal,) = made_by_the_worker(
        judged(
            action="failed", reason=reason, is_final=True, destination_bytes=0, service_index=0, destination_index=None,
            destination_address="10.96.0.1", dialled_address="10.96.0.1", dialled_port=80, destination_port=80,
        )
    )  # fmt: skip
    assert (signal.destination, signal.port, signal.mode) == (End("shop", "Service", "api"), 80, "no_endpoints")
    (worked,) = made_by_the_worker(judged(service_index=0, dialled_address="10.96.0.1", dialled_port=80))
    assert (worked.service, worked.service_port, worked.port) == (signal.service, signal.service_port, 8080)
