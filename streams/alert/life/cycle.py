"""The life of alerts: a rule holds for a subject, long enough; alone or with others; told; contradicted or quiet; over.

A finding that could be one of a group waits a moment for the others, so that what cuts a namespace is one alert. All
durations are measured by the engine's clock, but ``for``, which is the event time over which a rule was seen to hold.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.fact.subject import Context, Observation
from streams.alert.life.board import Board
from streams.alert.life.identity import alert_id
from streams.alert.life.state import AlertState, Finding
from streams.alert.life.telling import ASKED_MEMBERS, Teller
from streams.alert.rule.condition import Facts
from streams.alert.rule.rule import Rule
from streams.alert.settings import AlertSettings

_NS: Final = 10**9
_COUNTS: Final = {
    "edge": "failures", "dns": "failures", "http": "errors", "scan": "targets", "domain": "names",
    "pipeline": "dead_letters",
}  # fmt: skip
_MAXIMUM_MEMBERS: Final = 2000
"""Of one alert that are told apart; the others take the place of these when none of them is left."""


class Cycle:
    """Turns what rules say into alerts. ``needed``: measures that texts use, by rule."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        needed: Mapping[str, frozenset[str]],
        settings: AlertSettings,
        *,
        board: Board,
        teller: Teller,
        counters: AlertCounters,
    ) -> None:
        self._rules = rules
        self._needed = needed
        self._settings = settings
        self._board = board
        self._teller = teller
        self._counters = counters
        self._touched: dict[str, None] = {alert.id: None for alert in board.alerts.values() if alert.is_open}

    def holds(self, rule: Rule, observation: Observation, facts: Facts, now_ns: int) -> None:
        """A rule holds for a subject."""
        identity = self._identity(rule, observation)
        finding = self._board.findings.get(identity)
        if finding is None:
            if not self._board.has_room(rule):
                self._counters.refused_findings += 1
                return
            finding = self._made(identity, rule, observation, facts, now_ns)
        else:
            self._renew(finding, rule, observation, facts, now_ns)
        if not finding.ripe_at_ns and finding.last_ns - finding.since_ns >= rule.for_ns:
            finding.ripe_at_ns = now_ns
        self._board.keep(finding)
        if finding.alert:
            self._touched[finding.alert] = None
        elif finding.ripe_at_ns and not rule.group_by:
            self._open(finding, rule, now_ns)

    def is_found(self, rule: Rule, name: str) -> bool:
        """Whether a rule holds for a subject, or held until lately."""
        return (rule.id, name) in self._board.names

    def contradicts(self, rule: Rule, observation: Observation, now_ns: int) -> None:
        """The contrary of what a rule says was seen: over at once, unless it comes and goes."""
        finding = self._board.findings.get(self._identity(rule, observation))
        if finding is None or observation.end_ns <= finding.since_ns:
            return
        if self._is_flapping(finding, now_ns):
            if not finding.is_damped:
                finding.is_damped = True
                self._counters.damped += 1
                self._board.keep(finding)
            return
        self._close(finding, f"{observation.title}: the contrary was seen", now_ns)

    def advance(self, now_ns: int) -> None:
        """Open what has waited enough, end what is quiet, tell what is new."""
        self._ripen(now_ns)
        self._quieten(now_ns)
        self._update(now_ns)
        self._forget(now_ns)

    def touch_where(self, is_concerned: Callable[[Context, int], bool]) -> None:
        """Something is new that concerns alerts of which this holds, asked with what they fail by and since when."""
        for alert in self._board.alerts.values():
            if alert.is_open and alert.id not in self._touched:
                members = self._board.members(alert)[:ASKED_MEMBERS]
                if any(is_concerned(finding.context, finding.since_ns) for finding in members):
                    self._touched[alert.id] = None

    def tell_again(self, now_ns: int) -> None:
        """Tell what is new of every open alert now, whenever it was told last."""
        for alert in list(self._board.alerts.values()):
            if alert.is_open:
                self._told_again(alert, now_ns)

    def _identity(self, rule: Rule, observation: Observation) -> str:
        return alert_id(self._settings.cluster, rule.id, (observation.name,))

    def _made(self, identity: str, rule: Rule, observation: Observation, facts: Facts, now_ns: int) -> Finding:
        return Finding(
            id=identity,
            rule=rule.id,
            name=observation.name,
            title=observation.title,
            fields=observation.fields,
            namespace=observation.namespace,
            workloads=list(observation.workloads),
            group=_group(rule, facts),
            facts=self._kept(rule, facts),
            since_ns=observation.context.since_ns or observation.start_ns,
            last_ns=observation.end_ns,
            held_at_ns=now_ns,
            counts={observation.view: max(observation.count, _so_far(rule, observation, facts))},
            context=observation.context,
        )

    def _renew(self, finding: Finding, rule: Rule, observation: Observation, facts: Facts, now_ns: int) -> None:
        if not finding.alert and observation.start_ns > finding.last_ns + rule.window_ns:
            # It has to be seen to hold without a gap: two bad moments are no bad time between them.
            finding.since_ns, finding.counts, finding.ripe_at_ns = observation.start_ns, {}, 0
        counts = finding.counts
        counts[observation.view] = max(0, counts.get(observation.view, 0) + observation.count)
        finding.last_ns = max(finding.last_ns, observation.end_ns)
        finding.held_at_ns = now_ns
        finding.facts = self._kept(rule, facts) if not finding.alert else finding.facts
        worked_since_ns, worked_until_ns = finding.context.worked_since_ns, finding.context.worked_until_ns
        finding.context = observation.context
        if finding.alert and worked_since_ns is not None:
            # What was told of the time before must not move while the edge fails now and then.
            finding.context.worked_since_ns = worked_since_ns
            finding.context.worked_until_ns = max(worked_until_ns or 0, finding.context.worked_until_ns or 0) or None

    def _kept(self, rule: Rule, facts: Facts) -> dict[str, str | float | bool]:
        return {name: facts[name] for name in sorted(self._needed[rule.id]) if name in facts}

    def _ripen(self, now_ns: int) -> None:
        wait_ns = round(self._settings.group_wait_seconds * _NS)
        for identity in list(self._board.waiting):
            finding = self._board.findings.get(identity)
            if finding is None or finding.alert:
                continue
            rule = self._rules[finding.rule]
            if finding.ripe_at_ns and (not rule.group_by or finding.ripe_at_ns + wait_ns <= now_ns):
                self._open(finding, rule, now_ns)

    def _open(self, finding: Finding, rule: Rule, now_ns: int) -> None:
        if self._board.inhibitions.is_inhibited(finding):
            self._counters.inhibited += not finding.is_inhibited
            finding.is_inhibited = True
            return
        alert = self._alert_for(finding, rule)
        if alert is None:
            self._counters.refused_alerts += 1
            self._board.drop(finding)
            return
        joining = self._joining(finding, rule) if alert.is_group and not alert.is_open else [finding]
        for one in joining:
            self._join(one, alert, now_ns)
        for one in joining:
            for needless in self._board.inhibitions.needless(one):
                other = self._board.findings.get(needless)
                if other is not None:
                    self._close(other, f"told by {self._rules[one.rule].title.lower()}: {one.title}", now_ns)
        if alert.is_open:
            self._touched[alert.id] = None
        else:
            self._begin(alert, rule, now_ns)

    def _alert_for(self, finding: Finding, rule: Rule) -> AlertState | None:
        """The open group that it belongs to, the one that it makes full, or its own alert."""
        if finding.group:
            identity = alert_id(self._settings.cluster, rule.id, finding.group, is_group=True)
            group = self._board.alerts.get(identity)
            if (group is not None and group.is_open) or len(self._joining(finding, rule)) >= rule.group_at:
                return self._known(identity, rule, finding.group, is_group=True)
        return self._known(finding.id, rule, finding.group, is_group=False)

    def _joining(self, finding: Finding, rule: Rule) -> list[Finding]:
        ripe = [one for one in self._board.peers(finding) if one.ripe_at_ns]
        kept = [one for one in ripe if one.alert or not self._board.inhibitions.is_inhibited(one)]
        return kept if rule.group_by else [finding]

    def _known(self, identity: str, rule: Rule, group: Sequence[str], *, is_group: bool) -> AlertState | None:
        alert = self._board.alerts.get(identity)
        if alert is not None:
            return alert
        if len(self._board.alerts) >= self._settings.maximum_alerts and not self._forget_one():
            return None
        return AlertState(identity, rule.id, is_group, list(group), is_open=False)

    def _join(self, finding: Finding, alert: AlertState, now_ns: int) -> None:
        if finding.alert == alert.id:
            return
        single = self._board.alerts.get(finding.alert)
        self._board.attach(finding, alert)
        if len(alert.members) < _MAXIMUM_MEMBERS:
            alert.members[finding.id] = now_ns
        if single is not None:
            single.members.pop(finding.id, None)
            self._end_if_empty(single, f"now part of alert {alert.id}", now_ns)

    def _begin(self, alert: AlertState, rule: Rule, now_ns: int) -> None:
        since_ns = now_ns - round(self._settings.flap_seconds * _NS)
        alert.opens = [*(at_ns for at_ns in alert.opens if at_ns > since_ns), now_ns][-self._settings.flap_opens :]
        alert.is_open, alert.gone_count = True, 0
        alert.record, alert.widest = {"revision": alert.record.get("revision", 0)}, {}
        self._teller.opens(alert, rule, self._board.members(alert), now_ns)
        self._board.keep_alert(alert)

    def _quieten(self, now_ns: int) -> None:
        for finding in list(self._board.findings.values()):
            rule = self._rules[finding.rule]
            clear_ns = rule.clear_ns
            if finding.is_damped or (finding.alert and self._is_flapping(finding, now_ns)):
                clear_ns = max(clear_ns, round(self._settings.flap_clear_seconds * _NS))
            if now_ns - finding.held_at_ns < clear_ns:
                continue
            if finding.alert:
                self._close(finding, f"quiet for {clear_ns // _NS} s", now_ns)
            elif now_ns - finding.held_at_ns >= max(clear_ns, rule.for_ns):
                self._board.drop(finding)

    def _is_flapping(self, finding: Finding, now_ns: int) -> bool:
        alert = self._board.alerts.get(finding.alert)
        since_ns = now_ns - round(self._settings.flap_seconds * _NS)
        return alert is not None and sum(at_ns > since_ns for at_ns in alert.opens) >= self._settings.flap_opens

    def _close(self, finding: Finding, reason: str, now_ns: int) -> None:
        alert = self._board.alerts.get(finding.alert)
        self._board.drop(finding)
        if alert is None:
            return
        alert.members.pop(finding.id, None)
        alert.gone_count += finding.count
        self._end_if_empty(alert, reason, now_ns)

    def _end_if_empty(self, alert: AlertState, reason: str, now_ns: int) -> None:
        if alert.members or self._board.refill(alert, _MAXIMUM_MEMBERS, now_ns):
            self._touched[alert.id] = None
        elif alert.is_open:
            alert.is_open = False
            self._touched.pop(alert.id, None)
            self._teller.resolves(alert, reason, alert.gone_count, now_ns)
        self._board.keep_alert(alert)

    def _update(self, now_ns: int) -> None:
        interval_ns = round(self._settings.update_seconds * _NS)
        for identity in list(self._touched):
            alert = self._board.alerts.get(identity)
            if alert is None or not alert.is_open:
                del self._touched[identity]
            elif now_ns - alert.told_at_ns >= interval_ns:
                del self._touched[identity]
                self._told_again(alert, now_ns)

    def _told_again(self, alert: AlertState, now_ns: int) -> None:
        rule = self._rules.get(alert.rule)
        members = self._board.members(alert)
        if rule is not None and members:
            self._teller.updates(alert, rule, members, now_ns)
        elif alert.is_open:  # its rule is no more
            alert.is_open = False
            self._teller.resolves(alert, "its rule is no more", alert.gone_count, now_ns)
        self._board.keep_alert(alert)

    def _forget(self, now_ns: int) -> None:
        oldest_ns = now_ns - round(self._settings.remember_seconds * _NS)
        for alert in list(self._board.alerts.values()):
            if not alert.is_open and alert.told_at_ns < oldest_ns:
                self._board.drop_alert(alert)

    def _forget_one(self) -> bool:
        """Make room by forgetting the alert that was over first."""
        over = [alert for alert in self._board.alerts.values() if not alert.is_open]
        if over:
            self._board.drop_alert(min(over, key=lambda alert: (alert.told_at_ns, alert.id)))
        return bool(over)


def _so_far(rule: Rule, observation: Observation, facts: Facts) -> int:
    """Occurrences in the window that made the rule hold, where a measure counts them."""
    name = "missed" if rule.signal == "dns" and observation.context.mode != "dns" else _COUNTS.get(rule.signal, "")
    count = facts.get(name, 0)
    return int(count) if isinstance(count, int | float) else 0


def _group(rule: Rule, facts: Facts) -> list[str]:
    values = [facts.get(name) for name in rule.group_by]
    return [] if None in values else [str(value) for value in values]
