"""A file of rules as Rule objects. Every fault is told with its line."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from streams.alert.rule.condition import Any, Condition
from streams.alert.rule.document import DocumentError, Listing, Node, Table, read_document
from streams.alert.rule.expression import parse_condition
from streams.alert.rule.fault import Fault, RuleError
from streams.alert.rule.field import choice_of, duration_of, flag_of, id_of, names_of, number_of, tables_of, text_of
from streams.alert.rule.measure import SIGNALS, Measure
from streams.alert.rule.rule import CATEGORIES, SEVERITIES, Inhibition, Rule
from streams.alert.rule.text import Text, parse_text

_T = TypeVar("_T")
_MAXIMUM_RULES: Final = 500
_REQUIRED: Final = ("id", "title", "category", "severity", "signal", "when", "text")
_OPTIONAL: Final = (
    "until", "window", "for", "clear", "group_by", "group_at", "group_text", "inhibits", "runbook", "enabled", "learns",
)  # fmt: skip
_FIELDS: Final = frozenset((*_REQUIRED, *_OPTIONAL))
_LONGEST_WINDOW_NS: Final = 600 * 10**9
"""What is kept of an edge or a client reaches no farther back."""
_WINDOW_NS: Final = 60 * 10**9
_CLEAR_NS: Final = 300 * 10**9
_GROUP_AT: Final = 3
_NEVER: Final[Condition] = Any(())
GROUP_NAMES: Final = frozenset({"members", "group"})
"""What the text of a group can say beside its first member's measures."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds."""

    rules: tuple[Rule, ...]
    faults: tuple[Fault, ...]


def parse_rules(text: str, file: str) -> Parsed:
    """Rules and faults of one file: a list of rules, or a mapping whose ``rules`` is one."""
    try:
        root = read_document(text, file)
    except DocumentError as error:
        return Parsed((), (error.fault,))
    listing = root.items.get("rules") if isinstance(root, Table) else root
    if not isinstance(listing, Listing):
        return Parsed((), (Fault(file, root.line if root else 0, "expected a list of rules"),))
    if len(listing.items) > _MAXIMUM_RULES:
        return Parsed((), (Fault(file, listing.line, f"more than {_MAXIMUM_RULES} rules"),))
    return _parsed(listing.items, file)


def merged(files: Iterable[Parsed]) -> Parsed:
    """Rules of all files: a later one replaces an earlier one of the same id. Inhibitions must name a rule there is."""
    rules: dict[str, Rule] = {}
    faults: list[Fault] = []
    for parsed in files:
        faults += parsed.faults
        rules |= {rule.id: rule for rule in parsed.rules}
    for rule in rules.values():
        faults += _unknown_inhibitions(rule, rules)
    return Parsed(tuple(rules.values()), tuple(faults))


def _parsed(nodes: Iterable[Node], file: str) -> Parsed:
    rules: dict[str, Rule] = {}
    faults: list[Fault] = []
    for node in nodes:
        reader = _Reader(node, file)
        rule = reader.rule()
        faults += reader.faults
        if rule is not None and rule.id in rules:
            faults.append(Fault(file, rule.line, f"there is another rule {rule.id} at line {rules[rule.id].line}"))
        elif rule is not None:
            rules[rule.id] = rule
    return Parsed(tuple(rules.values()), tuple(faults))


def _unknown_inhibitions(rule: Rule, rules: Mapping[str, Rule]) -> Iterable[Fault]:
    for inhibition in rule.inhibits:
        other = rules.get(inhibition.rule)
        if other is None:
            yield Fault(rule.file, rule.line, f"{rule.id} inhibits {inhibition.rule}, which is no rule")
            continue
        for name in inhibition.same:
            if name not in SIGNALS[rule.signal] or name not in SIGNALS[other.signal]:
                yield Fault(rule.file, rule.line, f"{rule.id} and {other.id} have not both a measure {name}")


class _Reader:
    """Reads one rule and gathers all that is wrong with it."""

    def __init__(self, node: Node, file: str) -> None:
        self._node = node
        self._file = file
        self.faults: list[Fault] = []

    def rule(self) -> Rule | None:
        table = self._node
        if not isinstance(table, Table):
            self._note(table.line, "expected a rule: names with values")
            return None
        self._check_names(table)
        signal = self._field(table, "signal", lambda node: choice_of(node, tuple(SIGNALS)), "edge")
        measures = SIGNALS[signal]
        rule = self._made(table, signal, measures)
        return None if self.faults else rule

    def _made(self, table: Table, signal: str, measures: Mapping[str, Measure]) -> Rule:
        def condition(node: Node) -> Condition:
            return parse_condition(text_of(node), measures)

        def line(node: Node) -> Text:
            return parse_text(text_of(node), frozenset(measures))

        def group_line(node: Node) -> Text:
            return parse_text(text_of(node), frozenset(measures) | GROUP_NAMES)

        return Rule(
            id=self._field(table, "id", id_of, ""),
            title=self._field(table, "title", text_of, ""),
            category=self._field(table, "category", lambda node: choice_of(node, CATEGORIES), ""),
            severity=self._field(table, "severity", lambda node: choice_of(node, SEVERITIES), ""),
            signal=signal,
            when=self._field(table, "when", condition, _NEVER),
            until=self._optional(table, "until", condition),
            window_ns=self._field(table, "window", lambda node: duration_of(node, _LONGEST_WINDOW_NS), _WINDOW_NS),
            for_ns=self._field(table, "for", duration_of, 0),
            clear_ns=self._field(table, "clear", duration_of, _CLEAR_NS),
            group_by=self._field(table, "group_by", lambda node: _known(names_of(node), measures), ()),
            group_at=self._field(table, "group_at", lambda node: number_of(node, 2, 1000), _GROUP_AT),
            inhibits=self._field(table, "inhibits", _inhibitions, ()),
            text=self._field(table, "text", line, Text(())),
            group_text=self._optional(table, "group_text", group_line),
            runbook=self._field(table, "runbook", text_of, ""),
            is_enabled=self._field(table, "enabled", flag_of, True),
            needs_learning=self._field(table, "learns", flag_of, False),
            file=self._file,
            line=table.line,
        )

    def _check_names(self, table: Table) -> None:
        for name in table.items:
            if name not in _FIELDS:
                self._note(
                    table.lines[name], f"{name[:80]} is no field of a rule; fields are {', '.join(sorted(_FIELDS))}"
                )
        for name in _REQUIRED:
            if name not in table.items:
                self._note(table.line, f"{name} is missing")

    def _field(self, table: Table, name: str, read: Callable[[Node], _T], otherwise: _T) -> _T:
        found = self._optional(table, name, read)
        return otherwise if found is None else found

    def _optional(self, table: Table, name: str, read: Callable[[Node], _T]) -> _T | None:
        node = table.items.get(name)
        if node is None:
            return None
        try:
            return read(node)
        except RuleError as fault:
            self._note(node.line, f"{name}: {fault}")
            return None

    def _note(self, line: int, reason: str) -> None:
        self.faults.append(Fault(self._file, line, reason))


def _known(names: tuple[str, ...], measures: Mapping[str, Measure]) -> tuple[str, ...]:
    for name in names:
        if name not in measures:
            raise RuleError(f"{name[:80]} is no measure of this signal; it has {', '.join(sorted(measures))}")
    return names


def _inhibitions(node: Node) -> tuple[Inhibition, ...]:
    found = []
    for table in tables_of(node):
        if set(table.items) != {"rule", "same"}:
            raise RuleError("each needs rule and same, and nothing else")
        found.append(Inhibition(id_of(table.items["rule"]), names_of(table.items["same"])))
    return tuple(found)
