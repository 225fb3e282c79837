import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.condition import FilterError
from conntrail.observe.path import PathLike, parse_path, paths
from tests.unit.conntrail.observe.documents import answers
from tests.unit.conntrail.observe.view.documents import http


def found(text: str, path: str) -> bool:
    wanted, of = PathLike(paths([text])), http(url={"path": path})
    answer = wanted.matches(of)
    assert answers(wanted.query(), of) == answer
    return answer


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("/orders", "/v1/orders/7", True), ("^/orders", "/v1/orders", False), ("orders$", "/v1/orders/7", False),
        ("^/orders$", "/orders", True), ("/orders/{id}", "/orders/{id}", True), (r"/\d+$", "/orders/7", True),
        (r"/\d+$", "/orders/x", False), ("^/[^/]+$", "/a/b", False), ("^/(a|b)/c$", "/b/c", True),
        ("a|b", "/xbx", True), ("^/a{2,3}$", "/aaaa", False), (r"\.css$", "/a.css", True), (r"\.css$", "/acss", False),
        ("^/[a-c.]+$", "/a.c", True), ("^(?:/a)+$", "/a/a", True), ("/a.b", "/a\nb", True),
        ("/Orders", "/orders", False),
        ('"#@&<>~', '/"#@&<>~', True), (r"[\w-]", "/-", None), (r"^/[\w]+$", "/a_1", True), ("/é$", "/é", True),
    ],
)  # fmt: skip
def test_a_path_is_found_as_the_expression_says(text: str, path: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(FilterError):
            parse_path(text)
    else:
        assert found(text, path) is expected


@pytest.mark.parametrize(
    "text",
    ["", "(a", "a)", "a)(b", "a**", "*", "a||b", "(|a)", "^a|b$", "a|b$",
     r"\b", "\\", "[a", "[z-a]", "[]", "a*?", "(?=a)",
     "a^b", "a{101,102}{2}", "a{3,2}", r"(a)\1", "a" * 65],
)  # fmt: skip
def test_what_the_engines_read_differently_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match="--http-path"):
        parse_path(text)


ATOMS = st.sampled_from(["a", "b", "/", ".", r"\d", "[ab]", "[^/]", r"\.", "(a|/)", "{", "-"])
WORDS = st.lists(st.tuples(ATOMS, st.sampled_from(["", "*", "+", "?", "{1,2}"])).map("".join), min_size=1, max_size=4)


@given(WORDS.map("".join), st.text("ab/.1{-", max_size=6))
def test_a_path_is_found_as_by_python(text: str, path: str) -> None:
    assert found(text, path) is (re.search(text, path, re.DOTALL | re.ASCII) is not None)


def test_an_expression_that_others_take_for_ever_over_ends_at_once() -> None:
    assert not PathLike(paths(["^(a*)*(a*)*c$"])).matches(http(url={"path": "/" + "a" * 5000}))
