"""Signals in few words, and an engine with a clock that is only ever told."""

from dataclasses import dataclass, field
from typing import Any

from streams.alert.engine import Engine
from streams.alert.rule.builtin import builtin_rules
from streams.alert.settings import AlertSettings
from streams.alert.signal.end import End
from streams.alert.signal.signal import (
    ChangeSignal,
    DnsSignal,
    EdgeSignal,
    HttpSignal,
    NodeSignal,
    PipelineSignal,
    Place,
    Signal,
)

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_700_000_040 * SECOND
"""The begin of a minute, some day."""
SETTLED = START + 2 * HOUR
OUT = {"port": 443, "direction": "outbound", "protocol": "tls"}
"""Of a window: to the outside."""
"""By then everybody has learned."""

FRONTEND = End("shop", "Deployment", "frontend")
CHECKOUT = End("shop", "Deployment", "checkout")
DATABASE = End("data", "StatefulSet", "db")
DNS_SERVER = End("kube-system", "Deployment", "coredns")
DENY = "NetworkPolicy:data/db-ingress:rule=-1:deny"


@dataclass
class World:
    """An engine, what it was fed, and every record that it gave."""

    settings: AlertSettings = field(default_factory=AlertSettings)
    store: dict[str, bytes] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    fed: list[Signal] = field(default_factory=list)
    rules: Any = None

    def __post_init__(self) -> None:
        self.engine = self.made()

    def made(self) -> Engine:
        return Engine(self.rules or builtin_rules(), self.settings, self.store)

    def restart(self) -> None:
        """As after a crash: only the store is left."""
        self.engine = self.made()

    def place(self, topic: str) -> Place:
        self.offsets[topic] = self.offsets.get(topic, -1) + 1
        return Place(topic, 0, self.offsets[topic])

    def take(self, *signals: Signal) -> list[dict[str, Any]]:
        found = []
        for signal in signals:
            end_ns = getattr(signal, "end_ns", 0) or getattr(signal, "at_ns", 0)
            if end_ns > self.engine._now_ns + 5 * MINUTE:
                found += self.engine.advance(end_ns)
            self.fed.append(signal)
            found += self.engine.take(signal)
        self.records += found
        return found

    def advance(self, now_ns: int) -> list[dict[str, Any]]:
        found = self.engine.advance(now_ns)
        self.records += found
        return found

    def window(self, source: End = FRONTEND, destination: End = DATABASE, *, at: int = SETTLED, **facts: Any) -> None:
        """The window of a minute that begins then."""
        self.take(window(self.place("windows"), source, destination, at=at, **facts))
        self.advance(max(at + MINUTE, self.engine._now_ns))

    def works(self, source: End = FRONTEND, destination: End = DATABASE, *, at: int = START, **facts: Any) -> None:
        """From an instant on, for five minutes."""
        for minute in range(5):
            self.window(source, destination, at=at + minute * MINUTE, **facts)

    def settle(self) -> None:
        """Let the learning period pass."""
        self.advance(SETTLED)

    def open(self) -> dict[str, dict[str, Any]]:
        """Latest record of each alert that is open, by rule; several of one rule by number."""
        latest = {record["id"]: record for record in self.records}
        found: dict[str, dict[str, Any]] = {}
        for record in latest.values():
            if record["status"] != "resolved":
                name = record["rule"]
                found[name if name not in found else f"{name}#{len(found)}"] = record
        return found

    def fired(self) -> set[str]:
        return {record["rule"] for record in self.records}


def window(place: Place | None, source: End, destination: End, *, at: int, **facts: Any) -> EdgeSignal:
    """A window of a minute in which five connections got through."""
    chosen = {
        "port": 5432, "transport": "tcp", "action": "allowed", "started": 5, "active": 5, "direction": "internal",
        "verdict": "allow", "policies": ("NetworkPolicy:data/db-ingress:rule=0:allow",), "packets": 500,
        "bytes": 50_000, **facts,
    }  # fmt: skip
    if chosen["action"] != "allowed":
        chosen |= {"started": 0, "policies": ()}
    return EdgeSignal(place=place, start_ns=at, end_ns=at + MINUTE, source=source, destination=destination, **chosen)


def failed(mode: str, count: int = 10) -> dict[str, Any]:
    """Facts of a window in which nothing got through."""
    if mode == "denied":
        return {"action": "denied", "mode": mode, "denied": count, "denied_by": (DENY,), "verdict": "deny"}
    return {"action": "failed", "mode": mode, "failed": count, "verdict": "none"}


def denial(world: World, source: End, destination: End, *, at: int, **facts: Any) -> EdgeSignal:
    """What the fast path tells of denied attempts."""
    chosen = {
        "port": 5432, "transport": "tcp", "denied": 2, "denied_by": (DENY,), "verdict": "deny", "seconds": 1, **facts,
    }  # fmt: skip
    end_ns = at + chosen.pop("seconds") * SECOND
    return EdgeSignal(
        place=world.place("denials"), start_ns=at, end_ns=end_ns, source=source, destination=destination,
        action="denied", mode="denied", is_prompt=True, **chosen,
    )  # fmt: skip


def change(world: World, *, at: int, kind: str = "NetworkPolicy", **facts: Any) -> ChangeSignal:
    chosen = {
        "id": f"change-{kind}-{at}", "namespace": "data", "name": "db-ingress", "action": "changed",
        "summary": f"{kind} changed", "by": "ci-bot", "workloads": ("data/db",), **facts,
    }  # fmt: skip
    return ChangeSignal(place=world.place("changes"), at_ns=at, kind=kind, **chosen)


def dns(world: World, name: str, code: str = "NOERROR", *, at: int, source: End = FRONTEND, **facts: Any) -> DnsSignal:
    chosen = {"count": 1, "server": DNS_SERVER, "server_port": 53, **facts}
    return DnsSignal(
        place=world.place("dns"), start_ns=at, end_ns=at + SECOND, source=source, name=name, code=code, **chosen
    )


def http(world: World, action: str, count: int, *, at: int, **facts: Any) -> HttpSignal:
    chosen = {"source": FRONTEND, "destination": CHECKOUT, "port": 8080, "mean_us": 5000, "path": "/cart", **facts}
    return HttpSignal(
        place=world.place("l7"), start_ns=at, end_ns=at + 10 * SECOND, action=action, count=count, **chosen
    )


def node(world: World, coverage: str, *, at: int, name: str = "node1") -> NodeSignal:
    return NodeSignal(world.place("nodes"), at, at + 10 * SECOND, name, coverage)


def pipeline(world: World, *, at: int, **facts: Any) -> PipelineSignal:
    return PipelineSignal(world.place("pipeline"), at, at + 10 * SECOND, "flows", **facts)


def settled(**chosen: Any) -> World:
    """A world in which an edge has worked for as long as news takes to be none."""
    made = World(settings=AlertSettings(**chosen))
    made.works(service="data/db", service_port=5433)
    made.settle()
    return made
