import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy.cilium.name import parse_name
from streams.policy.fault import PolicyFault

LABELS = "[-a-zA-Z0-9_]"


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.example.com", ["a.example.com", "A.Example.COM."], ["example.com", "a.b.example.com", "a.example.org"]),
        (
            "**.example.com",
            ["a.example.com", "a.b.example.com"],
            ["example.com", "a.badexample.com", "a\0.example.com"],
        ),
        ("****.com", ["a.com", "a.b.com"], ["com"]),
        ("*", ["anything.org", "org", "", "."], ["a b.org", "caf\u00e9.org"]),
        ("**", ["a.b.c"], ["a b"]),
        ("*.", ["a.b.c"], ["a b"]),
        ("a*z.com", ["az.com", "abz.com"], ["a.z.com", "z.com", "a z.com"]),
        ("*a*a*.com", ["aa.com", "xaxaxx.com"], ["a.com", "xax.com"]),
        ("a.**.b", ["a.x.b"], ["a.b", "a.x.y.b"]),
        ("api-*", ["api-", "api-1"], ["api", "api-1.x"]),
    ],
)
def test_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    read = parse_name({"matchPattern": pattern}, "here")
    assert [name for name in (*matching, *others) if read.matches(name)] == matching


def test_a_name_is_no_pattern() -> None:
    read = parse_name({"matchName": "Api.Example.com."}, "here")
    assert [read.matches(name) for name in ("api.example.com", "xapi.example.com", "example.com")] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ({}, "here: needs exactly one of matchName, matchPattern"),
        ({"matchName": "a", "matchPattern": "b"}, "here: needs exactly one of matchName, matchPattern"),
        ({"matchName": "*.a"}, "here.matchName: not known here: '*.a'"),
        ({"matchPattern": "[a]"}, "here.matchPattern: not known here: '[a]'"),
        ({"matchPattern": "*" * 256}, "here.matchPattern: not known here: "),
        ({"matchRegex": "a"}, "here: not known here: matchRegex"),
        ({"matchName": 1}, "here.matchName: expected a string, got 1"),
        ("a", "here: expected an object, got 'a'"),
    ],
)
def test_what_cilium_refuses_is_a_fault(raw: object, complaint: str) -> None:
    with pytest.raises(PolicyFault) as raised:
        parse_name(raw, "here")
    assert str(raised.value).startswith(complaint)


def expression(pattern: str) -> str:
    """What Cilium makes of a pattern, pkg/fqdn/matchpattern: names end with their dot there."""
    if re.fullmatch(r"\*+\.?", pattern):
        return rf"({LABELS}+[.])+|[.]"
    below, text = re.fullmatch(r"(\*{2,}\.)?(.*)", pattern.removesuffix("."), re.DOTALL).groups()  # type: ignore[union-attr] - it always matches
    literal = re.sub(r"\*+", f"{LABELS}*", text.replace(".", "[.]"))
    return (rf"{LABELS}+([.]{LABELS}+)*[.]" if below else "") + literal + "[.]"


@given(st.text("a-.*", min_size=1, max_size=12), st.text("a-b.", max_size=12))
def test_patterns_are_those_of_cilium(pattern: str, name: str) -> None:
    if re.search(r"\.\.|^\.|\.\.$", pattern) or ".." in name or name.startswith("."):
        return  # no name has an empty label
    expected = re.fullmatch(expression(pattern), f"{name.removesuffix('.')}.") is not None
    assert parse_name({"matchPattern": pattern}, "here").matches(name) == expected
