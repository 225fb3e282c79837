"""The selector language: Calico's own answers, and what holds for every text."""

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.policy.calico.expression import Among, Both, Compare, Either, Everything, Expression, Has, Not, Value
from streams.policy.calico.parse import parse_expression
from streams.policy.fault import PolicyFault
from tests.golden.policy import corpus

_CORPUS = Path(corpus.__file__).parent / "calico_selectors.json.xz"


@dataclass(frozen=True)
class Plain:
    labels: Mapping[str, str]

    def value(self, key: str) -> Value:
        return self.labels.get(key)


def _parse(text: str) -> Expression | None:
    try:
        return parse_expression(text, "selector")
    except PolicyFault:
        return None


def test_every_selector_of_the_corpus_is_read_and_matches_as_calico_has_it() -> None:
    with lzma.open(_CORPUS, "rt", encoding="utf-8") as file:
        known = json.load(file)
    for item in known["selectors"]:
        expression = _parse(item["selector"])
        matches = None if expression is None else [int(bool(expression.matches(Plain(x)))) for x in known["labels"]]
        assert (expression is not None, matches) == (item["valid"], item["matches"]), item["selector"]
    assert len(known["selectors"]) == 574


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a == b", "selector: 'a == b': expected a quoted text at column 6"),
        ("a = 'b'", "nothing known begins at column 3"),
        ("(a == 'b'", "expected ) at column 10"),
        ("a 'in' {'x'}", "expected an operator after a at column 3"),
        ("has(a) has(b)", "expected the end, && or || at column 8"),
        ("a in {'x'", "expected } at column 10"),
        ("(" * 101 + "all()" + ")" * 101, "more than 100 parentheses within each other"),
        ("!" * 70_000, "a selector of 70000 characters, more than 65536"),
        (7, "selector: expected a string, got 7"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(text: Any, complaint: str) -> None:
    with pytest.raises(PolicyFault) as raised:
        parse_expression(text, "selector")
    assert complaint in str(raised.value)


_SYMBOLS = ["==", "!=", "&&", "||", "!", "(", ")", "{", "}", ",", "'x'", '"y"', " ", "\t", "'", '"', "&", "\0", "é"]
_NAMES = [
    "a",
    "b",
    "has(",
    "has(a)",
    "all()",
    "all(",
    "global()",
    "in",
    "not in",
    "not",
    "contains",
    "starts with",
    "ends",
]
_WORDS = st.sampled_from([*_SYMBOLS, *_NAMES])


@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(_WORDS, max_size=60).map(" ".join),
        st.lists(_WORDS).map("".join),
    )
)
@settings(max_examples=200)
@example("(" * 60_000)
@example("!(" * 30_000)
@example("a in {" + "'x'," * 15_000 + "}")
@example("has(a) || " * 6_000 + "has(a)")
def test_any_text_is_read_or_refused(text: str) -> None:
    expression = _parse(text)
    if expression is not None:
        assert expression.matches(Plain({"a": "x"})) in (True, False)


_KEYS = st.sampled_from(["a", "b", "app.kubernetes.io/name", "in", "has", "not", "x-y_z"])
_VALUES = st.one_of(
    st.text(st.characters(exclude_characters="'", codec="utf-8"), max_size=5),
    st.text(st.characters(exclude_characters='"', codec="utf-8"), max_size=5),
)
_LEAVES: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Everything, st.booleans()),
    st.builds(Has, _KEYS),
    st.builds(Compare, _KEYS, st.sampled_from(["==", "!=", "contains", "starts with", "ends with"]), _VALUES),
    st.builds(Among, _KEYS, st.frozensets(_VALUES, max_size=3), st.booleans()),
)


def _grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, inner), st.builds(Both, several), st.builds(Either, several))


_EXPRESSIONS = st.recursive(_LEAVES, _grow, max_leaves=12)


@given(_EXPRESSIONS)
@settings(max_examples=200)
def test_a_selector_written_out_is_read_back_as_the_same(expression: Expression) -> None:
    assert parse_expression(str(expression), "selector") == expression


@given(_EXPRESSIONS, st.dictionaries(_KEYS, st.sampled_from(["", "x", "y"])))
@settings(max_examples=150)
def test_not_is_the_contrary(expression: Expression, labels: dict[str, str]) -> None:
    assert Not(expression).matches(Plain(labels)) is not expression.matches(Plain(labels))
