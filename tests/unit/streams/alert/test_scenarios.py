"""Each rule fires on its cause, and none of the others does."""

from collections.abc import Callable

import pytest

from streams.alert.rule.builtin import builtin_rules
from streams.alert.signal.end import NOWHERE, OUTSIDE, SERVICE, End
from streams.alert.signal.signal import CaptureSignal, EventSignal
from tests.unit.streams.alert.builders import (
    CHECKOUT,
    DATABASE,
    FRONTEND,
    HOUR,
    MINUTE,
    SECOND,
    SETTLED,
    World,
    change,
    denial,
    dns,
    failed,
    http,
    node,
    pipeline,
)

PAY = End("", OUTSIDE, "203.0.113.9")
PAY6 = End("", OUTSIDE, "2001:db8::9")
OUT = {"port": 443, "direction": "outbound", "protocol": "tls"}


def cut(world: World) -> None:
    """A policy is changed, and the first denied packet comes a second later."""
    world.take(change(world, at=SETTLED))
    world.take(denial(world, FRONTEND, DATABASE, at=SETTLED + SECOND))
    world.advance(SETTLED + 3 * SECOND + 1)


def killed(world: World) -> None:
    world.take(change(world, at=SETTLED, kind="Pod", name="db-0", action="restarted", by=""))
    world.window(**failed("refused"))
    world.advance(SETTLED + 2 * MINUTE)


def removed(world: World) -> None:
    """No endpoint is left: what was dialled is a Service behind which nothing stands."""
    service = End("data", SERVICE, "db")
    world.take(change(world, at=SETTLED, kind="EndpointSlice", name="db-x", action="unready", service="data/db"))
    world.window(destination=service, service="data/db", service_port=5432, **failed("no_endpoints"))
    world.advance(SETTLED + 2 * MINUTE)


def node_down(world: World) -> None:
    world.take(
        change(world, at=SETTLED, kind="Node", namespace="", name="node2", action="unready", by="", workloads=())
    )
    world.window(nodes=("node1", "node2"), **failed("timeout"))
    world.advance(SETTLED + 2 * MINUTE)


def denied(world: World) -> None:
    """Somebody new tries on and on."""
    for number in range(4):
        world.take(denial(world, CHECKOUT, DATABASE, at=SETTLED + 5 * number * SECOND))
    world.advance(SETTLED + 20 * SECOND)


def burst(world: World) -> None:
    for number in range(4):
        world.take(denial(world, CHECKOUT, DATABASE, at=SETTLED + number * SECOND, denied=100))
    world.advance(SETTLED + 10 * SECOND)


def drift(world: World) -> None:
    for minute in range(2):
        world.window(at=SETTLED + minute * MINUTE, is_drift=True, verdict="deny")
    world.advance(SETTLED + 3 * MINUTE)


def clear_text(world: World) -> None:
    world.window(destination=PAY, **{**OUT, "port": 80, "protocol": "http"})
    world.advance(SETTLED + 2 * MINUTE)


def first_contact(world: World) -> None:
    world.window(destination=PAY, **OUT)
    world.advance(SETTLED + 2 * MINUTE)


def first_contact_by_ipv6(world: World) -> None:
    world.window(destination=PAY6, **OUT)
    world.advance(SETTLED + 2 * MINUTE)


def across(world: World) -> None:
    world.window(destination=End("billing", "Deployment", "ledger"), port=8080)
    world.advance(SETTLED + 2 * MINUTE)


def scan_of_ports(world: World) -> None:
    for port in range(1000, 1040):
        world.take(
            denial(world, FRONTEND, End("data", "StatefulSet", "db"), at=SETTLED + port * SECOND // 50, port=port)
        )
    world.advance(SETTLED + 40 * SECOND)


def scan_of_hosts(world: World) -> None:
    """Refused, since nobody listens there."""
    for number in range(30):
        world.window(destination=End("data", "Deployment", f"app{number}"), port=22, **failed("refused", 1))
    world.advance(SETTLED + 2 * MINUTE)


def exposed(world: World) -> None:
    world.window(NOWHERE, CHECKOUT, port=8080, direction="inbound", verdict="none", policies=())
    world.advance(SETTLED + 2 * MINUTE)


def unprotected(world: World) -> None:
    world.window(verdict="none", policies=())
    world.advance(SETTLED + 2 * MINUTE)


def dns_down(world: World) -> None:
    for number in range(20):
        world.take(dns(world, f"name{number}.example", "TIMEOUT", at=SETTLED + number * SECOND))
    world.advance(SETTLED + 30 * SECOND)


def missing_names(world: World) -> None:
    for number in range(120):
        world.take(dns(world, f"shard{number % 7}.old.example", "NXDOMAIN", at=SETTLED + number * SECOND // 4))
    world.advance(SETTLED + 40 * SECOND)


def generated(world: World) -> None:
    alphabet = "qxzkvwbnmtrsdfghjlp0123456789c"
    for number in range(40):
        label = "".join(alphabet[(number * 7 + place * (11 + number)) % 30] for place in range(20))
        world.take(dns(world, f"{label}{number}.net", "NXDOMAIN", at=SETTLED + number * SECOND))
    world.advance(SETTLED + MINUTE)


def tunnel(world: World) -> None:
    for number in range(150):
        label = f"{number:03}qz7xk2w9v4b8n1m6t3r5s0dfghjlpyc"
        world.take(dns(world, f"{label}.{label[::-1]}.evil.example", at=SETTLED + number * SECOND // 3))
    world.advance(SETTLED + MINUTE)


def slow_names(world: World) -> None:
    for number in range(70):
        signal = dns(world, "api.example", at=SETTLED + 2 * number * SECOND, mean_us=400_000, p95_us=900_000)
        world.take(signal)
    world.advance(SETTLED + 3 * MINUTE)


def errors(world: World) -> None:
    for number in range(6):
        world.take(http(world, "error", 20, at=SETTLED + number * 10 * SECOND, status=503))
        world.take(http(world, "answered", 20, at=SETTLED + number * 10 * SECOND))
    world.advance(SETTLED + 2 * MINUTE)


def slow_answers(world: World) -> None:
    for number in range(18):
        world.take(http(world, "answered", 20, at=SETTLED + number * 10 * SECOND, mean_us=200_000))
    world.advance(SETTLED + 4 * MINUTE)


def lossy_edge(world: World) -> None:
    for minute in range(3):
        world.window(at=SETTLED + minute * MINUTE, packets=2000, retransmits=200)
    world.advance(SETTLED + 4 * MINUTE)


def slow_edge(world: World) -> None:
    for minute in range(3):
        world.window(at=SETTLED + minute * MINUTE, rtt_us=30_000)
    world.advance(SETTLED + 4 * MINUTE)


def blind_node(world: World) -> None:
    for number in range(5):
        world.take(node(world, "blind", at=SETTLED + 10 * number * SECOND))
    world.advance(SETTLED + MINUTE)


def lossy_node(world: World) -> None:
    for number in range(20):
        world.take(node(world, "lossy", at=SETTLED + 10 * number * SECOND))
    world.advance(SETTLED + 4 * MINUTE)


def refused_messages(world: World) -> None:
    world.take(pipeline(world, at=SETTLED, dead_letters=12))


def lag(world: World) -> None:
    for number in range(7):
        world.take(pipeline(world, at=SETTLED + 10 * number * SECOND, lag_seconds=300))


def failed_capture(world: World) -> None:
    world.take(CaptureSignal(world.place("captures.status"), SETTLED, "c1", "node1", "failed", "no such pod"))


SCENARIOS: dict[str, tuple[Callable[[World], None], set[str]]] = {
    "a policy cuts an edge that worked": (cut, {"communication-break"}),
    "a backend is killed": (killed, {"communication-break"}),
    "the last endpoint is gone": (removed, {"communication-break"}),
    "a node is down": (node_down, {"communication-break"}),
    "a new edge is denied": (denied, {"policy-denied"}),
    "a new edge is denied many times": (burst, {"denial-burst"}),
    "what happens contradicts the policies": (drift, {"policy-drift"}),
    "clear text leaves": (clear_text, {"insecure-egress"}),
    "an outside address is new": (first_contact, {"first-contact-outside"}),
    "an outside address of IPv6 is new": (first_contact_by_ipv6, {"first-contact-outside"}),
    "a workload reaches into another namespace": (across, {"new-edge-across-namespaces"}),
    "ports are scanned": (scan_of_ports, {"port-scan"}),
    "hosts are scanned": (scan_of_hosts, {"host-scan"}),
    "a workload without policy is reached from outside": (exposed, {"newly-exposed"}),
    "the last policy is gone": (unprotected, {"policy-lost"}),
    "DNS does not answer": (dns_down, {"dns-failures"}),
    "names are not there": (missing_names, {"nxdomain-storm"}),
    "generated names are asked for": (generated, {"generated-names"}),
    "names carry data": (tunnel, {"dns-tunnel"}),
    "DNS is slow": (slow_names, {"slow-resolver"}),
    "requests fail": (errors, {"http-errors"}),
    "requests are slow": (slow_answers, {"http-latency"}),
    "packets are lost": (lossy_edge, {"retransmits"}),
    "round trips are long": (slow_edge, {"rtt-rise"}),
    "a node is not seen": (blind_node, {"node-blind"}),
    "a node misses events": (lossy_node, {"node-lossy"}),
    "messages are refused": (refused_messages, {"dead-letters"}),
    "a stage lags": (lag, {"pipeline-lag"}),
    "a capture fails": (failed_capture, {"capture-failed"}),
}
AFTERWARDS = {"policy-change-effect"}
"""Told minutes after a change; it has tests of its own."""


@pytest.fixture
def world() -> World:
    """Two hours in which everything went well."""
    made = World()
    made.works(service="data/db", service_port=5432, rtt_us=900)
    for minute in range(30):
        at = SETTLED - HOUR + minute * MINUTE
        made.take(http(made, "answered", 60, at=at))
        made.take(dns(made, "api.example", at=at, count=30, mean_us=900, p95_us=1500))
    made.works(at=SETTLED - 10 * MINUTE, service="data/db", service_port=5432, rtt_us=900)
    made.works(CHECKOUT, FRONTEND, at=SETTLED - HOUR, port=8080)
    made.settle()
    assert made.records == []
    return made


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_rule_fires_on_its_cause_and_no_other_does(world: World, name: str) -> None:
    happen, expected = SCENARIOS[name]
    happen(world)
    assert world.fired() == expected


def test_every_rule_that_ships_has_its_scenario() -> None:
    fired = {rule for _, rules in SCENARIOS.values() for rule in rules}
    assert fired | AFTERWARDS == {rule.id for rule in builtin_rules()}


def test_a_warning_alone_is_no_alert_of_the_rules_that_ship(world: World) -> None:
    event = EventSignal(
        world.place("k8s.events"), SETTLED, "e1", "Pod", "shop", "x", "Warning", "BackOff", "restarting"
    )
    world.take(event)
    world.advance(SETTLED + MINUTE)
    assert world.fired() == set()
