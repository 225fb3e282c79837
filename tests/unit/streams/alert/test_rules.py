"""Rules as people write them: read, or refused with the line and the reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alert.rule.builtin import builtin_files, builtin_rules
from streams.alert.rule.condition import All, Among, Any, Compare, Condition, Flag, Like, Not
from streams.alert.rule.expression import parse_condition
from streams.alert.rule.fault import RuleError
from streams.alert.rule.measure import SIGNALS, Measure
from streams.alert.rule.parse import merged, parse_rules
from streams.alert.rule.text import parse_text

GOOD = """\
rules:
  - id: mine
    title: Mine
    category: policy
    severity: low
    signal: edge
    when: denied >= 3 and source_namespace in ["shop", "data"] and not is_outside
    window: 5m
    for: 30s
    clear: 1h
    group_by: [source, mode]
    text: "{source} → {destination}:{port}"
    runbook: Ask.
    enabled: false
"""
MEASURES = {"number": Measure("number", ""), "text": Measure("text", ""), "flag": Measure("flag", "")}


def test_a_rule_is_read_as_it_is_written() -> None:
    parsed = parse_rules(GOOD, "mine.yaml")
    assert parsed.faults == ()
    (rule,) = parsed.rules
    assert (rule.id, rule.severity, rule.window_ns, rule.for_ns) == ("mine", "low", 300 * 10**9, 30 * 10**9)
    assert str(rule.when) == 'denied >= 3 and source_namespace in ["shop", "data"] and (not is_outside)'
    assert not rule.is_enabled
    assert (rule.file, rule.line) == ("mine.yaml", 2)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("denied >= 3", "denide >= 3", 7, "column 1: denide is no measure of this signal"),
        ("denied >= 3", "denied", 7, "denied is a number: compare it with a value"),
        ("denied >= 3", 'denied >= "3"', 7, "denied is a number, which this is not"),
        ("denied >= 3", "denied >=", 7, "column 11: denied is a number, which this is not"),
        ("denied >= 3", "__import__('os')", 7, "nothing known begins at column 1"),
        ("denied >= 3", "mode > 3", 7, "> needs a number, and mode is a text"),
        ("denied >= 3", 'mode == "broken"', 7, "mode is one of denied, refused, timeout, no_endpoints"),
        ("denied >= 3", "(denied >= 3", 7, "expected )"),
        ("when: denied >= 3", "when: denied >= 3 or and", 7, "expected a measure"),
        ("signal: edge", "signal: egde", 6, "signal: expected edge, scan"),
        ("severity: low", "severity: urgent", 5, "severity: expected low, medium, high or critical"),
        ("category: policy", "category: other", 4, "category: expected policy"),
        ("id: mine", "id: Mine!", 2, "id: expected lower case letters"),
        ("window: 5m", "window: soon", 8, "window: expected a duration"),
        ("window: 5m", "window: 2h", 8, "window: longer than 600 s"),
        ("enabled: false", "enabled: perhaps", 14, "enabled: expected true or false"),
        ("runbook: Ask.", "runbok: Ask.", 13, "runbok is no field of a rule"),
        ("[source, mode]", "[sauce]", 11, "group_by: sauce is no measure"),
        ("[source, mode]", "source", 11, "group_by: expected a list"),
        ("{port}", "{port.__class__}", 12, "text: {port.__class__} is nothing known here"),
        ("{port}", "{port!r}", 12, "text: only a name may stand in braces"),
        ("{port}", "{port:>99999999}", 12, "text: only a name may stand in braces"),
        ("{port}", "{", 12, "text: "),
        ("    title: Mine\n", "", 2, "title is missing"),
        ("    title: Mine\n", "    title: Mine\n    title: Other\n", 4, "title is given twice"),
        ("    title: Mine\n", "    title: &a Mine\n", 3, "anchors and aliases are not read"),
        ("    title: Mine\n", "    title: [Mine\n", 4, "no YAML"),
        ("    title: Mine\n", "    title: [Mine]\n", 3, "title: expected a text"),
        ("    title: Mine\n", "    title: !!python/object/apply:os.system [x]\n", 3, "title: expected a text"),
    ],
)
def test_a_bad_rule_is_refused_with_line_and_reason(old: str, new: str, line: int, reason: str) -> None:
    assert old in GOOD
    parsed = parse_rules(GOOD.replace(old, new), "mine.yaml")
    assert parsed.rules == ()
    told = [str(fault) for fault in parsed.faults]
    assert any(words.startswith(f"mine.yaml:{line}: ") and reason in words for words in told), told


def test_every_fault_of_a_file_is_told() -> None:
    parsed = parse_rules(GOOD.replace("low", "urgent").replace("denied >= 3", "x").replace("5m", "soon"), "f")
    assert [fault.line for fault in parsed.faults] == [5, 7, 8]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected a list of rules"),
        ("rules: 3", "expected a list of rules"),
        ("- 3", "expected a rule"),
        ("[" * 20 + "]" * 20, "nested more than"),
        ("x" * 300_000, "more than 262144 bytes"),
        ("? [a]\n: b", "a name must be a word"),
        ("\x00", "no YAML"),
    ],
)
def test_what_is_no_file_of_rules_is_refused(text: str, reason: str) -> None:
    parsed = parse_rules(text, "f")
    assert parsed.rules == ()
    assert reason in str(parsed.faults[0])


def test_two_rules_of_one_name_in_a_file_are_a_fault() -> None:
    parsed = parse_rules(GOOD + GOOD.replace("rules:\n", ""), "f")
    assert "there is another rule mine at line 2" in str(parsed.faults[0])


def test_a_rule_of_a_later_file_replaces_one_of_an_earlier() -> None:
    mine = parse_rules(GOOD.replace("id: mine", "id: host-scan").replace("signal: edge", "signal: edge"), "mine.yaml")
    found = {rule.id: rule for rule in merged([builtin_files(), mine]).rules}
    assert found["host-scan"].file == "mine.yaml"


def test_an_inhibition_must_name_a_rule_and_a_measure_that_both_have() -> None:
    inhibiting = GOOD + "    inhibits:\n      - {rule: other, same: [source]}\n"
    assert "mine inhibits other, which is no rule" in str(merged([parse_rules(inhibiting, "f")]).faults[0])
    wrong = inhibiting.replace("other", "node-blind")
    assert "have not both a measure source" in str(merged([builtin_files(), parse_rules(wrong, "f")]).faults[0])


def test_the_rules_that_ship_are_whole_and_say_what_to_do() -> None:
    assert builtin_files().faults == ()
    for rule in builtin_rules():
        assert rule.runbook
        assert not rule.group_by or rule.text.parts


def test_every_measure_is_documented() -> None:
    assert all(measure.doc for measures in SIGNALS.values() for measure in measures.values())


NUMBERS = st.integers(-1000, 1000).map(float) | st.sampled_from([0.5, 0.25, -2.75])
TEXTS = st.text("abc *?'-", max_size=5)
LEAVES = (
    st.just(Flag("flag"))
    | st.builds(Compare, st.just("number"), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), NUMBERS)
    | st.builds(Compare, st.just("text"), st.sampled_from(["==", "!="]), TEXTS)
    | st.builds(Compare, st.just("flag"), st.just("=="), st.booleans())
    | st.builds(Among, st.just("number"), st.lists(NUMBERS, min_size=1, max_size=3).map(tuple))
    | st.builds(Like, st.just("text"), TEXTS)
)


def _joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, parts) | st.builds(All, several) | st.builds(Any, several)


@given(st.recursive(LEAVES, _joined, max_leaves=8))
def test_a_condition_is_read_back_as_it_was_written(condition: Condition) -> None:
    written = str(condition).replace("True", "true").replace("False", "false")
    assert str(parse_condition(written, MEASURES)) == str(condition)


@given(
    st.recursive(LEAVES, _joined, max_leaves=8),
    st.fixed_dictionaries({}, optional={"number": NUMBERS, "text": TEXTS, "flag": st.booleans()}),
)
def test_a_condition_read_back_holds_for_the_same(condition: Condition, facts: dict[str, float | str | bool]) -> None:
    written = str(condition).replace("True", "true").replace("False", "false")
    assert parse_condition(written, MEASURES).holds(facts) == condition.holds(facts)


@given(st.text(max_size=60) | st.text("()[]\"' nottextflagnumber<>=!,0123", max_size=60))
@settings(max_examples=150)
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        parse_condition(text, MEASURES)
    except RuleError as fault:
        assert str(fault)  # noqa: PT017 - either is right


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_whatever_is_a_file_of_rules_or_has_a_fault(text: str) -> None:
    parsed = parse_rules(text, "f")
    assert not parsed.rules
    assert parsed.faults


def test_deep_conditions_are_refused() -> None:
    with pytest.raises(RuleError, match="nested more than"):
        parse_condition("not " * 1000 + "flag", MEASURES)
    with pytest.raises(RuleError, match="longer than"):
        parse_condition("flag and " * 1000 + "flag", MEASURES)


def test_what_is_not_known_meets_nothing() -> None:
    for text in ("number > 3", "number != 3", "text in ['a']", "text like '*'", "flag"):
        assert not parse_condition(text, MEASURES).holds({})


def test_texts_show_values_on_one_line_and_cut() -> None:
    text = parse_text("{text} {number} {flag}", frozenset(MEASURES))
    assert text.filled({"text": "a\nb\x1b[31m", "number": 0.12345, "flag": True}) == "a�b�[31m 0.123 yes"
    assert text.filled({"text": "{number}", "number": 3.0}) == "{number} 3 ?"
    assert len(text.filled({"text": "x" * 10_000})) < 300
