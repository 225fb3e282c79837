"""Which open findings make which others needless."""

from collections.abc import Iterable, Iterator

from streams.alert.life.state import Finding
from streams.alert.rule.condition import Value
from streams.alert.rule.rule import Rule

_Key = tuple[str, str, tuple[Value | None, ...]]


class Inhibitions:
    """Open findings by what they share with those that they inhibit, or are inhibited by."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._as_cause: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._as_target: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._causes: dict[_Key, set[str]] = {}
        self._targets: dict[_Key, dict[str, None]] = {}
        for rule in rules:
            for one in rule.inhibits:
                self._as_cause.setdefault(rule.id, []).append((one.rule, one.same))
                self._as_target.setdefault(one.rule, []).append((rule.id, one.same))

    def names(self, rule: str) -> set[str]:
        """Measures by which findings of a rule are compared."""
        pairs = (*self._as_cause.get(rule, ()), *self._as_target.get(rule, ()))
        return {name for _, same in pairs for name in same}

    def open(self, finding: Finding) -> None:
        """A finding is told of."""
        for key in self._keys(finding, is_cause=True):
            self._causes.setdefault(key, set()).add(finding.id)
        for key in self._keys(finding, is_cause=False):
            self._targets.setdefault(key, {})[finding.id] = None

    def close(self, finding: Finding) -> None:
        """It is over."""
        for key in self._keys(finding, is_cause=True):
            self._causes.get(key, set()).discard(finding.id)
            if not self._causes.get(key, True):
                del self._causes[key]
        for key in self._keys(finding, is_cause=False):
            self._targets.get(key, {}).pop(finding.id, None)
            if not self._targets.get(key, True):
                del self._targets[key]

    def is_inhibited(self, finding: Finding) -> bool:
        """Whether an open finding says it better."""
        return any(key in self._causes for key in self._keys(finding, is_cause=False))

    def needless(self, finding: Finding) -> list[str]:
        """Open findings that this one makes needless."""
        return [one for key in self._keys(finding, is_cause=True) for one in self._targets.get(key, ())]

    def _keys(self, finding: Finding, *, is_cause: bool) -> Iterator[_Key]:
        for other, same in (self._as_cause if is_cause else self._as_target).get(finding.rule, ()):
            values = tuple(finding.facts.get(name) for name in same)
            yield (finding.rule, other, values) if is_cause else (other, finding.rule, values)
