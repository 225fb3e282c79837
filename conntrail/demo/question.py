"""What the demo asks Elasticsearch, and the answers as rows of text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conntrail.observe.render import human_bytes, human_time
from conntrail.text import printable

_BUCKETS = 1000
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Question:
    """A table: one composite aggregation over an index."""

    title: str
    index: str
    columns: tuple[str, ...]
    """Headings of the keys, of the figure, and of the times."""
    keys: tuple[tuple[str, ...], ...]
    """For each heading, the fields that are joined by a slash."""
    figure: str
    """Field that is summed; empty counts documents."""
    only: Mapping[str, str]
    """Field and value that a document must have."""
    blanks: Mapping[str, str] = field(default_factory=dict)
    """What an empty cell means, by column."""
    present: tuple[str, ...] = ()
    """Fields that a document must have, whatever their value."""
    about: str = ""
    """Text of which a row's last key tells; a field of many values makes a row of each."""
    times: tuple[Mapping[str, Any], ...] = ()
    """Aggregations whose values are microseconds, beside the figure."""
    is_optional: bool = False
    """Shown only when there is something to show."""

    def body(self) -> dict[str, Any]:
        """The search request."""
        names = sorted({name for key in self.keys for name in key})
        sources = [{name: {"terms": {"field": name, "missing_bucket": True}}} for name in names]
        aggregation: dict[str, Any] = {"composite": {"size": _BUCKETS, "sources": sources}}
        inner: dict[str, Any] = {f"time{number}": dict(asked) for number, asked in enumerate(self.times)}
        if self.figure:
            inner["figure"] = {"sum": {"field": self.figure}}
        if inner:
            aggregation["aggregations"] = inner
        conditions: list[dict[str, Any]] = [{"term": {name: value}} for name, value in self.only.items()]
        conditions += [{"exists": {"field": name}} for name in self.present]
        return {
            "size": 0,
            "query": {"bool": {"filter": conditions}},
            "aggregations": {"rows": aggregation},
        }

    def rows(self, answer: Mapping[str, Any]) -> Iterator[Sequence[str]]:
        """The answer's largest rows; none while there is no index to ask."""
        buckets = answer.get("aggregations", {}).get("rows", {}).get("buckets", ())
        told = [bucket for bucket in buckets if self.about in self._cell(len(self.keys) - 1, bucket["key"])]
        ranked = sorted(told, key=lambda bucket: -self._figure(bucket))
        for bucket in ranked[:_SHOWN]:
            figure = self._figure(bucket)
            cells = [self._cell(column, bucket["key"]) for column in range(len(self.keys))]
            times = [human_time(bucket[f"time{number}"]["value"]) for number in range(len(self.times))]
            yield [*cells, human_bytes(figure) if self.figure.endswith("bytes") else f"{figure:.0f}", *times]

    def _cell(self, column: int, values: Mapping[str, Any]) -> str:
        text = "/".join(str(values[name]) for name in self.keys[column] if values[name])
        return printable(text) or self.blanks.get(self.columns[column], "")

    def _figure(self, bucket: Mapping[str, Any]) -> float:
        return float(bucket["figure"]["value"] if self.figure else bucket["doc_count"])


def _end(name: str) -> tuple[str, ...]:
    return (f"{name}.kubernetes.namespace", f"{name}.kubernetes.workload.name", f"{name}.ip")


def _pod(name: str) -> tuple[str, ...]:
    return (f"{name}.kubernetes.namespace", f"{name}.kubernetes.workload.name")


_MEAN = {
    "weighted_avg": {"value": {"field": "conntrail.latency.mean_us"}, "weight": {"field": "conntrail.count"}},
}
_SLOWEST_P95 = {"max": {"field": "conntrail.latency.p95_us"}}
QUESTIONS = (
    Question(
        "Top talkers by workload",
        "metrics-conntrail.window-*",
        ("source", "destination", "port", "transport", "bytes"),
        (_end("source"), _end("destination"), ("destination.port",), ("network.transport",)),
        "network.bytes",
        {"event.action": "allowed"},
    ),
    Question(
        "Denied, and the policy that denied",
        "metrics-conntrail.window-*",
        ("source", "destination", "port", "transport", "denied by", "connections"),
        (_end("source"), _end("destination"), ("destination.port",), ("network.transport",), ("policy.denied_by",)),
        "flow.connections.denied",
        {"event.action": "denied"},
    ),
    Question(
        "A policy applied while traffic ran: from guest to shop/frontend, before and after",
        "logs-conntrail.flow-*",
        ("source", "destination", "port", "action", "denied by", "flows"),
        (_pod("source"), _pod("destination"), ("destination.port",), ("event.action",), ("policy.denied_by",)),
        "",
        {"source.kubernetes.namespace": "guest", "destination.kubernetes.workload.name": "frontend"},
        {"denied by": "-"},
    ),
    Question(
        "A staged policy: what it would do to live traffic",
        "logs-conntrail.flow-*",
        ("source", "destination", "port", "action", "pending", "flows"),
        (_pod("source"), _pod("destination"), ("destination.port",), ("event.action",), ("policy.pending",)),
        "",
        {},
        {"destination": "(outside)"},
        present=("policy.pending",),
        about="shop/payment-inside",
    ),
    Question(
        "Failed: no policy explains it",
        "logs-conntrail.flow-*",
        ("source", "destination", "port", "reason", "flows"),
        (_pod("source"), (*_pod("destination"), "destination.service.name"), ("destination.port",), ("event.reason",)),
        "",
        {"event.action": "failed"},
    ),
    Question(
        "Processes that opened connections",
        "logs-conntrail.flow-*",
        ("workload", "process", "executable", "flows"),
        (_pod("source"), ("source.process.name",), ("source.process.executable",)),
        "",
        {"network.transport": "tcp"},
        {"process": "(closed before its socket was asked for)"},
    ),
    Question(
        "DNS: who asked for what, and the answer",
        "logs-conntrail.dns-*",
        ("client", "name", "type", "code", "count", "mean"),
        (_pod("source"), ("dns.question.name",), ("dns.question.type",), ("dns.response_code",)),
        "conntrail.count",
        {},
        present=("dns.question.name",),
        times=(_MEAN,),
        is_optional=True,
    ),
    Question(
        "HTTP: requests by path and status",
        "logs-conntrail.l7-*",
        ("client", "server", "method", "path", "status", "count", "slowest p95"),
        (
            _pod("source"),
            (*_pod("destination"), "url.domain"),
            ("http.request.method",),
            ("url.path",),
            ("http.response.status_code",),
        ),
        "conntrail.count",
        {},
        {"status": "(no answer)"},
        present=("http.request.method",),
        times=(_SLOWEST_P95,),
        is_optional=True,
    ),
    Question(
        "TLS: the names that clients called",
        "logs-conntrail.l7-*",
        ("client", "server", "name", "version", "count"),
        (
            _pod("source"),
            (*_pod("destination"), "destination.ip"),
            ("tls.client.server_name",),
            ("tls.version",),
        ),
        "conntrail.count",
        {},
        present=("tls.client.server_name",),
        is_optional=True,
    ),
)
