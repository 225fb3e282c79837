"""Findings and alerts by what they are looked up by. Bounded; what finds no room is counted."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.life.inhibition import Inhibitions
from streams.alert.life.state import AlertState, Finding
from streams.alert.rule.rule import Rule
from streams.alert.state.shelf import Shelf

GroupKey = tuple[str, tuple[str, ...]]
"""Rule and values."""
_SHARES: Final = MappingProxyType({"low": 0.5, "medium": 0.75})
"""Of all room, what findings of lower severities may fill: a flood of them leaves the rest to what matters more."""


class Board:
    """All of them, alive in memory: they are few, and looked at all the time."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        findings: Shelf[Finding],
        alerts: Shelf[AlertState],
        maximum_findings: int,
        counters: AlertCounters,
    ) -> None:
        self._rules = rules
        self._finding_shelf = findings
        self._alert_shelf = alerts
        self._maximum_findings = maximum_findings
        self._counters = counters
        self.inhibitions = Inhibitions(rules.values())
        self.findings: dict[str, Finding] = {}
        self.alerts: dict[str, AlertState] = {}
        self.names: set[tuple[str, str]] = set()
        """Rule and subject of each finding: asked with every signal."""
        self.waiting: dict[str, None] = {}
        self._groups: dict[GroupKey, dict[str, None]] = {}
        self._number = 0
        self._load()

    def has_room(self, rule: Rule) -> bool:
        """Whether one more finding of a rule is kept."""
        return len(self.findings) < self._maximum_findings * _SHARES.get(rule.severity, 1.0)

    def keep(self, finding: Finding) -> None:
        """Keep a finding, or what changed of it."""
        if finding.id not in self.findings:
            self._number += 1
            finding.number = self._number
            self.findings[finding.id] = finding
            self._enter(finding)
        self._finding_shelf.put(self._finding_shelf.key(finding.id), finding)

    def drop(self, finding: Finding) -> None:
        """A finding is over."""
        if finding.alert:
            self.inhibitions.close(finding)
        self.waiting.pop(finding.id, None)
        self.names.discard((finding.rule, finding.name))
        peers = self._groups.get(group_key(finding), {})
        peers.pop(finding.id, None)
        if not peers:
            self._groups.pop(group_key(finding), None)
        self.findings.pop(finding.id, None)
        self._finding_shelf.drop(self._finding_shelf.key(finding.id))

    def attach(self, finding: Finding, alert: AlertState) -> None:
        """An alert tells of a finding from now on."""
        self.detach(finding)
        finding.alert = alert.id
        self.waiting.pop(finding.id, None)
        self.inhibitions.open(finding)
        self.keep(finding)

    def detach(self, finding: Finding) -> None:
        """Its alert tells of it no more."""
        if finding.alert:
            self.inhibitions.close(finding)
            finding.alert = ""

    def keep_alert(self, alert: AlertState) -> None:
        """Keep what changed of an alert."""
        self.alerts[alert.id] = alert
        self._alert_shelf.put(self._alert_shelf.key(alert.id), alert)

    def drop_alert(self, alert: AlertState) -> None:
        """Forget an alert that is over."""
        self.alerts.pop(alert.id, None)
        self._alert_shelf.drop(self._alert_shelf.key(alert.id))

    def peers(self, finding: Finding) -> list[Finding]:
        """Findings of the same rule and group, itself included."""
        return [self.findings[one] for one in self._groups.get(group_key(finding), ())]

    def refill(self, alert: AlertState, maximum: int, now_ns: int) -> bool:
        """Take findings of an alert's group that were too many to be members as its members; whether there are any."""
        group = self._groups.get((alert.rule, tuple(alert.group)), ()) if alert.is_group else ()
        rest = [one for one in group if self.findings[one].alert == alert.id]
        alert.members = dict.fromkeys(rest[:maximum], now_ns)
        return bool(rest)

    def members(self, alert: AlertState) -> list[Finding]:
        """What an alert tells of, in the order of coming."""
        return [self.findings[one] for one in alert.members if one in self.findings]

    def _load(self) -> None:
        for finding in self._loaded(self._finding_shelf):
            if finding.rule in self._rules:
                self.findings[finding.id] = finding
                self._number = finding.number
                self._enter(finding)
            else:
                self._finding_shelf.drop(self._finding_shelf.key(finding.id))
        for alert in self._loaded_alerts():
            self.alerts[alert.id] = alert
            alert.members = {one: at_ns for one, at_ns in alert.members.items() if one in self.findings}

    def _enter(self, finding: Finding) -> None:
        self.names.add((finding.rule, finding.name))
        if finding.alert:
            self.inhibitions.open(finding)
        else:
            self.waiting[finding.id] = None
        if finding.group:
            self._groups.setdefault(group_key(finding), {})[finding.id] = None

    def _loaded(self, shelf: Shelf[Finding]) -> Iterator[Finding]:
        yield from sorted(_entries(shelf), key=lambda finding: finding.number)

    def _loaded_alerts(self) -> Iterable[AlertState]:
        found = (self._alert_shelf.get(key) for key in self._alert_shelf)
        return [alert for alert in found if alert is not None]


def group_key(finding: Finding) -> GroupKey:
    """What a finding is grouped by."""
    return finding.rule, tuple(finding.group)


def _entries(shelf: Shelf[Finding]) -> Iterator[Finding]:
    for key in shelf:
        finding = shelf.get(key)
        if finding is not None:
            yield finding
