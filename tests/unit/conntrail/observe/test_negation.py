from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.command import app
from conntrail.observe.condition import FilterError, matches, query
from conntrail.observe.negation import conditions
from tests.unit.conntrail.observe.documents import Document, answers, document


def selected(words: list[tuple[str, str]], of: Document) -> bool:
    """``words``: options and their values as typed; ``not`` has none. The query must find the same."""
    values: dict[str, list[str]] = {}
    for name, value in words:
        if name != "not":
            values.setdefault(name, []).append(value)
    wanted = conditions(values, [name for name, _ in words])
    found = matches(wanted, of)
    assert answers(query(wanted, None, None), of) == found
    return found


NOT = ("not", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([NOT, ("namespace", "shop")], False),
        ([NOT, ("namespace", "data")], True),
        ([NOT, ("namespace", "data"), NOT, ("namespace", "shop")], False),
        ([NOT, ("namespace", "data"), ("namespace", "shop")], True),
        ([("namespace", "shop"), NOT, ("namespace", "data")], True),
        ([("namespace", "shop"), NOT, ("to_port", "8080")], False),
        ([NOT, ("verdict", "denied"), NOT, ("protocol", "tcp")], False),
        ([NOT, ("verdict", "denied"), NOT, ("protocol", "udp")], True),
        ([NOT, ("ip", "10.0.0.0/8")], False),
        ([NOT, ("from_pod", "shop/web-*")], True),
    ],
)
def test_not_excludes_what_the_next_filter_selects_and_nothing_else(
    words: list[tuple[str, str]], expected: bool
) -> None:
    assert selected(words, document()) is expected


def test_an_end_that_has_no_name_is_not_of_that_name() -> None:
    outside = document(source__kubernetes=None)
    assert selected([NOT, ("from_namespace", "shop")], outside)
    assert selected([NOT, ("from_pod", "*")], outside)


@pytest.mark.parametrize("order", [["not"], ["not", "last", "pod"], ["not", "not", "pod"], ["pod", "not"]])
def test_a_not_without_a_filter_is_a_mistake(order: list[str]) -> None:
    with pytest.raises(FilterError, match="--not negates the filter that follows it"):
        conditions({"pod": ["web"]} if "pod" in order else {}, order)


NAMES = st.sampled_from(["shop", "data", "web-1", "client-1", "web", "*", "s*", "shop/web-1", "data/*"])
OF_NAMES = st.sampled_from(["namespace", "pod", "workload", "service", "from_pod", "to_workload", "to_namespace"])
WORDS = st.lists(
    st.tuples(st.booleans(), st.tuples(OF_NAMES, NAMES) | st.tuples(st.just("verdict"), st.just("denied"))), max_size=5
)


@given(WORDS, st.sampled_from([document(), document(source__kubernetes=None), document(event__action="denied"), {}]))
def test_negated_filters_and_their_query_find_the_same(words: list[tuple[bool, tuple[str, str]]], of: Document) -> None:
    selected([word for is_negated, typed in words for word in ([NOT, typed] if is_negated else [typed])], of)


@given(OF_NAMES, NAMES)
def test_a_filter_and_its_negation_divide_all_there_is(name: str, value: str) -> None:
    assert selected([(name, value)], document()) is not selected([NOT, (name, value)], document())


@pytest.mark.parametrize(
    ("arguments", "order"),
    [
        (["--not", "-n", "a", "--pod=b"], ["not", "namespace", "pod"]),
        (["-nshop", "--not", "-n", "data", "-o", "json"], ["namespace", "not", "namespace", "output"]),
        (["--pod", "--not", "--not", "--pod", "x"], ["pod", "not", "pod"]),
    ],
)
def test_the_order_in_which_options_were_typed_is_kept(arguments: list[str], order: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    context = command.make_context("observe", arguments)
    (kept,) = (value for key, value in context.meta.items() if key.endswith("observe.command.order"))
    assert kept[: len(order)] == order
