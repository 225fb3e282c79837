"""What is told of an alert, and when: at once when it opens or ends, else seldom and only with something new."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from streams.alert.cause.rank import Cause, merged_causes
from streams.alert.counters import AlertCounters
from streams.alert.fact.subject import Context
from streams.alert.life.record import Record, body, with_causes
from streams.alert.life.silence import SilenceBook
from streams.alert.life.state import AlertState, Finding
from streams.alert.rule.rule import Rule

ASKED_MEMBERS: Final = 5
"""Members of a group whose causes are looked for: what cut all of them has cut these."""
_OF_MEMBERS: Final = ("message", "namespace", "workloads", "subject", "members", "member_count")
"""Fields that change as members come and go."""
_NS_PER_MS: Final = 1_000_000


class Teller:
    """Makes records of alerts, in the order of telling."""

    def __init__(
        self,
        cluster: str,
        silences: SilenceBook,
        causes: Callable[[Context, int], list[Cause]],
        counters: AlertCounters,
    ) -> None:
        self._cluster = cluster
        self._silences = silences
        self._causes = causes
        self._counters = counters
        self._told: list[Record] = []

    def drained(self) -> list[Record]:
        """Records since the last call."""
        told, self._told = self._told, []
        return told

    def opens(self, alert: AlertState, rule: Rule, findings: Sequence[Finding], now_ns: int) -> None:
        """Tell that it is open."""
        self._counters.opened += 1
        self._tell(alert, self._made(alert, rule, findings, now_ns), "open", now_ns)

    def updates(self, alert: AlertState, rule: Rule, findings: Sequence[Finding], now_ns: int) -> None:
        """Tell what is new, if anything is."""
        record = self._made(alert, rule, findings, now_ns)
        if _gist(record) != alert.told:
            self._counters.updated += 1
            self._tell(alert, record, "updated", now_ns)

    def repeats(self, alert: AlertState, now_ns: int) -> None:
        """Tell what was told, so that it stays in a topic that drops what is old."""
        alert.told_at_ns = now_ns
        self._told.append(dict(alert.record))

    def resolves(self, alert: AlertState, reason: str, count: int, now_ns: int) -> None:
        """Tell that it is over, and why."""
        self._counters.resolved += 1
        silenced = self._silences.until(alert.record, now_ns)
        ended = {"reason": reason, "resolved_at_ns": now_ns, "count": count, "silenced_until_ns": silenced}
        self._tell(alert, {**alert.record, **alert.widest, **ended}, "resolved", now_ns)

    def _made(self, alert: AlertState, rule: Rule, findings: Sequence[Finding], now_ns: int) -> Record:
        record: Record = {
            **alert.record,
            "id": alert.id,
            "cluster": self._cluster,
            **body(rule, findings, alert.group, is_group=alert.is_group),
            "count": alert.gone_count + sum(finding.count for finding in findings),
            "resolved_at_ns": None,
        }
        if alert.is_group:
            # An alert tells of all that it stood for since it opened, not of what is left.
            record["started_at_ns"] = min(record["started_at_ns"], alert.record.get("started_at_ns", 2**63 - 1))
            if record["member_count"] >= alert.widest.get("member_count", 0):
                alert.widest = {name: record[name] for name in _OF_MEMBERS}
        record["silenced_until_ns"] = self._silences.until(record, now_ns)
        told = alert.record.get("causes", [])
        return with_causes(record, merged_causes(told, [cause.record() for cause in self._ranked(findings)]))

    def _ranked(self, findings: Sequence[Finding]) -> list[Cause]:
        best: dict[tuple[str, str], Cause] = {}
        for finding in findings[:ASKED_MEMBERS]:
            for cause in self._causes(finding.context, finding.since_ns):
                name = (cause.happening.kind, cause.happening.object)
                if name not in best or best[name].confidence < cause.confidence:
                    best[name] = cause
        return list(best.values())

    def _tell(self, alert: AlertState, record: Record, status: str, now_ns: int) -> None:
        revision = max(alert.record.get("revision", 0) + 1, now_ns // _NS_PER_MS)
        alert.record = {**record, "status": status, "updated_at_ns": now_ns, "revision": revision}
        alert.told = _gist(alert.record)
        alert.told_at_ns = now_ns
        self._told.append(dict(alert.record))


def _gist(record: Record) -> str:
    """What makes a record worth telling: counts only when they have doubled."""
    causes: list[Any] = [(cause["object"], cause["by"]) for cause in record["causes"]]
    parts = (record["member_count"], record["policies"], causes, record["silenced_until_ns"], record["nearest_miss"])
    return repr((*parts, int(record["count"]).bit_length()))
