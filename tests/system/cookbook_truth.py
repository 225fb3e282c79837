"""What the answers to the questions on the page must be, by what the programs of the lab's pods did and saw.

Who, whom and what; that counts are exact is held elsewhere, on a run without changes of policies.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from tests.support.cookbook import Answer
from tests.support.eventful import USER
from tests.support.observed import Observed

Fact = dict[str, Any]
Tuples = set[tuple[Any, ...]]
_OUTSIDE: Final = ("192.0.2.", "2001:db8:ffff:")


class Truth:
    """The programs' words, counted and grouped."""

    def __init__(self, run: Observed) -> None:
        self.connections = run.truth()
        self.exchanges = run.lab.exchanges()
        workloads = {f"{pod['namespace']}/{pod['name']}": pod["workload"] for pod in run.lab.status()["pods"]}
        self._workloads = {name: workload.rpartition("/")[2] for name, workload in workloads.items()}
        self._of_services = {f["service"]: self.servers(f) for f in self.connections if f["service"]}
        self.nodes = set(run.lab.nodes)

    def of(self, **wanted: Any) -> list[Fact]:
        """Connections with these values."""
        return [fact for fact in self.connections if all(fact[name] == value for name, value in wanted.items())]

    def said(self, layer: str) -> list[Fact]:
        """Exchanges of a protocol."""
        return [fact for fact in self.exchanges if fact["layer"] == layer]

    def outside(self, *, is_named: bool) -> list[Fact]:
        """Connections that left the cluster."""
        allowed = self.of(expected="allowed")
        return [f for f in allowed if f["dialled_address"].startswith(_OUTSIDE) and bool(f["domain"]) is is_named]

    def servers(self, fact: Fact) -> set[str]:
        """Workloads that may answer."""
        return {self._workloads[name] for name in fact["servers"] if name in self._workloads}

    def pairs(self, facts: Iterable[Fact]) -> Tuples:
        """Workloads that called and answered, of connections within the cluster."""
        return {(workload(fact), server) for fact in facts for server in self.servers(fact)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What some columns of an answer hold."""

    columns: tuple[str, ...]
    truth: Callable[[Truth], Tuples]
    relation: Literal["equal", "includes", "within"] = "equal"
    """Of what was found to the truth; the latter two where the answer is limited, or tells of more than calls."""

    def fault(self, answer: Answer, truth: Truth) -> str:
        """Empty when the answer is right."""
        found = {tuple(row[name] for name in self.columns) for row in answer.rows}
        wanted = self.truth(truth)
        if not wanted or not found:
            return f"wanted {wanted}, found {found}"
        is_right = {"equal": found == wanted, "includes": found >= wanted, "within": found <= wanted}[self.relation]
        return "" if is_right else f"not there: {wanted - found}; too much: {found - wanted}"


def workload(fact: Fact) -> str:
    """Who called."""
    return str(fact["client"]["workload"])


def _namespaces(truth: Truth) -> Tuples:
    return {
        (fact["client"]["namespace"], name.partition("/")[0])
        for fact in truth.of(expected="allowed")
        for name in fact["servers"]
    }


_SOURCE: Final = "source.kubernetes.workload.name"
_DESTINATION: Final = "destination.kubernetes.workload.name"
_PORT: Final = "destination.port"
EXPECTED: Final[dict[str, Wanted]] = {
    "Who talks to kube-system?": Wanted(
        (_SOURCE, _DESTINATION, _PORT),
        lambda t: {(workload(f), "dns", 53) for f in t.of(service="kube-system/kube-dns")},
    ),
    "Which namespaces talk to which?": Wanted(
        ("source.kubernetes.namespace", "destination.kubernetes.namespace"), _namespaces, "includes"
    ),
    "Which pairs of workloads move the most?": Wanted(
        (_SOURCE, _DESTINATION), lambda t: t.pairs(t.connections), "within"
    ),
    "What is spoken on which port?": Wanted(
        ("network.protocol", _PORT),
        lambda _: {("http", 8443), ("dns", 53), ("tls", 9443), ("http", 80), ("tls", 8443)},
        "includes",
    ),
    "Who met whom for the first time today?": Wanted(
        (_SOURCE, _DESTINATION), lambda t: t.pairs(t.of(expected="allowed")), "includes"
    ),
    "Which connections stay open?": Wanted((_DESTINATION, _PORT), lambda _: {("payment", 8443)}, "includes"),
    "Which program answers on this port?": Wanted(
        ("destination.process.name", _PORT), lambda _: {("postgres", 5432)}, "includes"
    ),
    "What did this pod do before it died?": Wanted(
        ("source.kubernetes.pod.name", "destination.service.name", _PORT, "event.action"),
        lambda t: {(f["client"]["pod"], "postgres", 5432, "allowed") for f in t.connections if workload(f) == "import"},
    ),
    "Who reaches the internet without having looked up a name?": Wanted(
        (_SOURCE, "destination.ip", _PORT),
        lambda t: {(workload(f), f["dialled_address"], f["dialled_port"]) for f in t.outside(is_named=False)},
    ),
    "Who reaches the internet, and by which names?": Wanted(
        (_SOURCE, "destination.domain"),
        lambda t: {(workload(f), f["domain"]) for f in t.outside(is_named=True)},
    ),
    "Which server names are asked for by TLS?": Wanted(
        (_SOURCE, "tls.client.server_name"), lambda t: {(workload(f), f["sni"]) for f in t.said("tls")}
    ),
    "Which policy denied, and how often?": Wanted(
        ("rule.name", "rule.category"),
        lambda t: {("shop/closed", "ingress"), *((f["policy"], f["direction"]) for f in t.of(expected="denied"))},
    ),
    "Whom did this policy deny?": Wanted((_SOURCE,), lambda t: {(workload(f),) for f in t.of(policy="data/postgres")}),
    "What would break if this policy were enforced?": Wanted(
        (_SOURCE, _DESTINATION), lambda t: t.pairs(t.of(service="shop/frontend")), "includes"
    ),
    "Which workloads does no policy protect?": Wanted(
        (_DESTINATION,), lambda _: {("frontend",), ("payment",), ("dns",)}
    ),
    "What got through although the policies forbid it?": Wanted(
        (_SOURCE, _DESTINATION), lambda t: t.pairs(t.of(policy="data/postgres")), "within"
    ),
    "Which rules of policies were met, and when last?": Wanted(
        ("rule.name",),
        lambda t: {("shop/closed",), *((f["policy"],) for f in t.of(expected="denied"))},
    ),
    "Who changed this policy?": Wanted(
        ("user.name", "event.action", "orchestrator.resource.name"),
        lambda _: {(USER, "create", "tried"), (USER, "create", "closed"), (USER, "delete", "closed")},
    ),
    "Which connections fail, although no policy forbids them?": Wanted(
        (_SOURCE,), lambda t: {(workload(f),) for f in t.of(expected="refused")}
    ),
    "Where is TCP sent again most often?": Wanted(
        (_SOURCE,), lambda t: {(workload(f),) for f in t.of(protocol="tcp")}, "within"
    ),
    "Which pairs are far from each other?": Wanted(
        (_SOURCE,), lambda t: {(workload(f),) for f in t.of(protocol="tcp", expected="allowed")}, "within"
    ),
    "Whose connections break, and what is the cause?": Wanted(
        ("rule.name",), lambda _: {("communication-break",)}, "includes"
    ),
    "Who tries many doors?": Wanted(
        (_SOURCE,),
        lambda t: {("frontend",), *((workload(f),) for f in t.connections if f["expected"] in ("denied", "refused"))},
    ),
    "Whose look-ups fail?": Wanted(
        (_SOURCE, "dns.response_code"),
        lambda t: {(workload(f), f["code"]) for f in t.said("dns") if f["code"] != "NOERROR"},
    ),
    "Which names do not exist?": Wanted(
        ("dns.question.name",), lambda t: {(f["name"],) for f in t.said("dns") if f["code"] == "NXDOMAIN"}, "within"
    ),
    "Which questions does nobody answer?": Wanted(
        (_SOURCE, "dns.question.name", "dns.question.type"),
        lambda t: {(workload(f), f["name"], f["type"]) for f in t.said("dns") if f["code"] == "TIMEOUT"},
    ),
    "Who was given an address of this network?": Wanted(
        (_SOURCE, "dns.question.name"),
        lambda t: {
            (workload(f), f["name"])
            for f in t.said("dns")
            if any(answer.startswith("192.0.2.") for answer in f["answers"])
        },
    ),
    "Which paths are slowest?": Wanted(
        ("http.request.method", "url.path"), lambda _: {("GET", "/slow/{id}"), ("GET", "/slow/cart")}, "includes"
    ),
    "Which requests are answered by errors?": Wanted(
        (_SOURCE, "url.domain", "url.path", "http.response.status_code"),
        lambda t: {
            (workload(f), f["host"], f["template"].replace("{uuid}", "{id}"), f["status"])
            for f in t.said("http")
            if f["status"] >= HTTPStatus.BAD_REQUEST
        },
    ),
    "Which software calls?": Wanted(
        (_SOURCE, "user_agent.original"), lambda t: {(workload(f), f["user_agent"]) for f in t.said("http")}
    ),
    "What changed?": Wanted(
        ("orchestrator.resource.name", "event.action"),
        lambda _: {("closed", "created"), ("closed", "deleted")},
        "includes",
    ),
    "What is there about one workload?": Wanted(
        ("event.dataset",),
        lambda _: {(f"conntrail.{name}",) for name in ("flow", "dns", "l7", "event", "audit", "alert")},
    ),
    "Which nodes have gone silent?": Wanted(("observer.name",), lambda t: {(node,) for node in t.nodes}),
}
