"""An hour of ordinary traffic with rollouts, scaling, restarts and search paths: nothing that wakes anybody."""

import random
from dataclasses import replace

import pytest

from streams.alert.signal.end import NODE, NOWHERE, OUTSIDE, End
from tests.unit.streams.alert.builders import (
    HOUR,
    MINUTE,
    SECOND,
    SETTLED,
    START,
    World,
    change,
    denial,
    dns,
    failed,
    http,
    node,
    window,
)

NAMESPACES = ("shop", "data", "billing", "web")
WORKLOADS = [End(namespace, "Deployment", f"app{number}") for namespace in NAMESPACES for number in range(8)]
OUTSIDE_ENDS = [End("", OUTSIDE, f"203.0.113.{number}") for number in range(6)]
SUFFIXES = ("{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local", "ec2.internal")


class Traffic:
    """The same edges every minute, with what goes wrong on any day."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = World()
        self.edges = sorted({tuple(self.chance.sample(WORKLOADS, 2)) for _ in range(120)})
        self.egress = [(self.chance.choice(WORKLOADS), outside) for outside in OUTSIDE_ENDS]

    def minute(self, at: int) -> None:
        rolled = self.chance.choice(WORKLOADS) if self.chance.random() < 0.5 else None
        if rolled is not None:
            self.roll(rolled, at)
        for source, destination in self.edges:
            self.edge(source, destination, at, is_rolled=rolled in (source, destination))
        for source, destination in self.egress:
            facts = {"port": 443, "direction": "outbound", "protocol": "tls"}
            self.world.take(window(self.world.place("windows"), source, destination, at=at, **facts))
        facts = {"port": 8080, "direction": "inbound"}
        self.world.take(window(self.world.place("windows"), NOWHERE, WORKLOADS[0], at=at, **facts))
        for end in WORKLOADS[:6]:
            self.probes(end, at)
        self.exchanges(at)
        for number in range(6):
            self.world.take(
                node(self.world, "lossy" if self.chance.random() < 0.02 else "complete", at=at + number * 10 * SECOND)
            )
        for second in range(10, 61, 10):
            self.world.advance(at + second * SECOND)

    def probes(self, end: End, at: int) -> None:
        """Refused until the new pod listens."""
        kubelet = End("", NODE, "node1")
        facts = failed("refused", 6) if self.chance.random() < 0.1 else {}
        self.world.take(window(self.world.place("windows"), kubelet, end, at=at, port=8080, **facts))

    def edge(self, source: End, destination: End, at: int, *, is_rolled: bool) -> None:
        place = self.world.place
        facts = {
            "started": self.chance.randrange(1, 50), "packets": self.chance.randrange(100, 5000),
            "rtt_us": int(self.chance.lognormvariate(6.5, 0.5)), "retransmits": self.chance.randrange(4),
        }  # fmt: skip
        if is_rolled:
            self.refused(source, destination, at)
        if is_rolled or self.chance.random() < 0.02:
            mode = self.chance.choice(["refused", "timeout", "no_endpoints"])
            self.world.take(
                window(place("windows"), source, destination, at=at, **failed(mode, self.chance.randrange(1, 6)))
            )
        self.world.take(window(place("windows"), source, destination, at=at, **facts))

    def refused(self, source: End, destination: End, at: int) -> None:
        """Told at once, for some seconds, while other pods of the workload answer."""
        for number in range(self.chance.randrange(1, 9)):
            signal = denial(self.world, source, destination, at=at + number * SECOND, denied=0, denied_by=())
            self.world.take(
                replace(signal, action="failed", mode="refused", failed=1, begun=self.chance.choice([0, 2, 5]))
            )
            self.world.advance(at + number * SECOND)

    def roll(self, end: End, at: int) -> None:
        facts = {
            "namespace": end.namespace,
            "name": end.name,
            "workloads": (f"{end.namespace}/{end.name}",),
            "by": "ci",
        }
        action = self.chance.choice(["rolled_out", "scaled"])
        self.world.take(change(self.world, at=at, kind="Deployment", action=action, **facts))
        for action in ("unready", "ready"):
            facts["service"] = f"{end.namespace}/{end.name}"
            kind = "EndpointSlice"
            self.world.take(
                change(self.world, at=at + SECOND, kind=kind, action=action, id=f"{at}{action}{end}", **facts)
            )

    def exchanges(self, at: int) -> None:
        for source in WORKLOADS:
            for name in ("api.pay.example", "cdn.example.net"):
                for suffix in SUFFIXES:
                    expanded = f"{name}.{suffix.format(namespace=source.namespace)}"
                    self.world.take(dns(self.world, expanded, "NXDOMAIN", at=at, source=source, count=10))
                self.world.take(
                    dns(self.world, name, at=at, source=source, count=10, mean_us=self.chance.randrange(500, 9000))
                )
            if self.chance.random() < 0.05:
                self.world.take(dns(self.world, "api.pay.example", "TIMEOUT", at=at, source=source, count=2))
        for source, destination in self.edges[:30]:
            facts = {"source": source, "destination": destination}
            self.world.take(
                http(self.world, "answered", 100, at=at, mean_us=self.chance.randrange(2000, 20_000), **facts)
            )
            if self.chance.random() < 0.2:
                self.world.take(http(self.world, "error", self.chance.randrange(1, 3), at=at, status=503, **facts))


@pytest.mark.parametrize("seed", [1, 2])
def test_an_ordinary_hour_gives_no_alert_of_severity_high(seed: int) -> None:
    traffic = Traffic(seed)
    for minute in range(10):
        traffic.minute(START + minute * MINUTE)
    traffic.world.settle()
    for minute in range(60):
        traffic.minute(SETTLED + minute * MINUTE)
    traffic.world.advance(SETTLED + 2 * HOUR)
    assert [record["message"] for record in traffic.world.records if record["severity"] in ("high", "critical")] == []
    assert {record["rule"] for record in traffic.world.records} <= {"http-latency", "rtt-rise", "retransmits"}


def test_the_same_signals_give_the_same_records() -> None:
    first, second = Traffic(3), Traffic(3)
    for traffic in (first, second):
        for minute in range(5):
            traffic.minute(START + minute * MINUTE)
        traffic.world.take(*(window(None, *edge, at=START + 6 * MINUTE, **failed("denied")) for edge in traffic.edges))
        traffic.world.advance(START + 8 * MINUTE)
    assert first.world.records == second.world.records
    assert first.world.records
    assert first.world.store == second.world.store
