"""All that a report is made of, while documents are read; in bounded memory, whatever their number and order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from conntrail.policy.history.document import Body
from conntrail.policy.history.period import Period
from conntrail.report.fact.change import ChangeBook
from conntrail.report.fact.coverage import Coverage
from conntrail.report.fact.rule import RuleBook
from conntrail.report.fact.traffic import TrafficBook, traffic_of
from conntrail.report.fact.workload import WorkloadBook

WINDOW_SIGHTS: Final = ("complete", "lossy", "blind")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a report is about."""

    cluster: str
    namespace: str = ""
    """Empty for the whole cluster."""

    def __str__(self) -> str:
        return f"namespace {self.namespace} of cluster {self.cluster}" if self.namespace else f"cluster {self.cluster}"


@dataclass(slots=True)
class Facts:
    """Of one scope and period."""

    scope: Scope
    period: Period
    due_ms: int
    """Up to here nodes should have told what they saw; Unix time."""
    traffic: TrafficBook = field(default_factory=TrafficBook)
    rules: RuleBook = field(default_factory=RuleBook)
    changes: ChangeBook = field(default_factory=ChangeBook)
    audit_events: int = 0
    """All requests that the audit log told of in the period, of whatever object: none means that it was not fed."""
    dead_letters: int = 0
    """Messages that no document could be made of."""
    windows: Counter[str] = field(default_factory=Counter)
    """Windows by what their nodes saw."""
    undecided: int = 0
    """Windows that the policies could not be evaluated for."""
    workloads: WorkloadBook = field(init=False)
    coverage: Coverage = field(init=False)

    def __post_init__(self) -> None:
        self.workloads = WorkloadBook(self.scope.namespace)
        self.coverage = Coverage(self.period, self.due_ms)

    def add_window(self, body: Body) -> None:
        """Take one window in."""
        window = traffic_of(body)
        self.workloads.add(window)
        self.traffic.add(window)
        seen = str(body["flow"].get("coverage", ""))
        self.windows[seen if seen in WINDOW_SIGHTS else "blind"] += 1
        self.undecided += window.outcome.verdict == "unknown"

    def cuts(self) -> Mapping[str, bool]:
        """Sections that there was no room for all of, in this report."""
        return {
            "workloads": self.workloads.has_more,
            "policies": self.rules.has_more,
            "changes": self.changes.has_more,
            "unseen": self.coverage.has_more,
        }
