"""The lab's DNS answers: names, other names of them, none, errors, silence, and datagrams that are too long."""

import dns.message
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conntrail.lab.program.name.question import parse_answer, query
from conntrail.lab.program.name.zone import Zone, answer

ZONE = Zone(
    records={
        "web.shop.svc.cluster.local": {"A": ("10.96.0.10",), "AAAA": ("fd00:96::10",)},
        "www.example.org": {"CNAME": ("edge.example.net",)},
        "edge.example.net": {"A": ("192.0.2.12",)},
        "many.example.org": {"A": tuple(f"198.51.100.{number}" for number in range(60))},
        "a.loop.org": {"CNAME": ("b.loop.org",)},
        "b.loop.org": {"CNAME": ("a.loop.org",)},
    },
    failing=frozenset({"failing.example.org"}),
    silent=frozenset({"silent.example.org"}),
)


def asked(
    name: str, kind: str = "A", payload: int = 0, *, is_datagram: bool = True
) -> tuple[str, tuple[str, ...], bool]:
    """Code, values, and whether it was cut."""
    wire = answer(ZONE, query(7, name, kind, payload), is_datagram=is_datagram)
    assert wire is not None
    found = parse_answer(wire)
    assert found is not None
    assert found.identity == 7
    return found.code, found.values, found.is_truncated


@pytest.mark.parametrize(
    ("name", "kind", "code", "values"),
    [
        ("web.shop.svc.cluster.local", "A", "NOERROR", ("10.96.0.10",)),
        ("WEB.shop.svc.Cluster.local", "AAAA", "NOERROR", ("fd00:96::10",)),
        ("web.shop.svc.cluster.local", "SRV", "NOERROR", ()),
        ("www.example.org", "A", "NOERROR", ("192.0.2.12",)),
        ("www.example.org", "AAAA", "NOERROR", ()),
        ("www.example.org", "CNAME", "NOERROR", ("edge.example.net.",)),
        ("web.shop.svc.cluster.local.shop.svc.cluster.local", "A", "NXDOMAIN", ()),
        ("failing.example.org", "A", "SERVFAIL", ()),
        ("a.loop.org", "A", "NOERROR", ()),
    ],
)
def test_what_a_name_is_answered_with(name: str, kind: str, code: str, values: tuple[str, ...]) -> None:
    assert asked(name, kind) == (code, values, False)


def test_a_name_that_is_silent_is_never_answered() -> None:
    for is_datagram in (True, False):
        assert answer(ZONE, query(7, "silent.example.org", "A"), is_datagram=is_datagram) is None


@pytest.mark.parametrize(
    ("payload", "is_datagram", "is_cut"), [(0, True, True), (512, True, True), (1232, True, False), (0, False, False)]
)
def test_an_answer_longer_than_the_client_takes_is_cut(payload: int, is_datagram: bool, is_cut: bool) -> None:
    code, values, is_truncated = asked("many.example.org", "A", payload, is_datagram=is_datagram)
    assert (code, is_truncated) == ("NOERROR", is_cut)
    assert (len(values) == 60) != is_cut


def test_an_answer_says_whose_zone_it_is_when_there_is_none() -> None:
    wire = answer(ZONE, query(7, "nowhere.org", "A"), is_datagram=True)
    assert wire is not None
    assert [found.name.to_text() for found in dns.message.from_wire(wire).authority] == ["cluster.local."]


@given(st.binary(max_size=80))
@example(b"")
@example(answer(ZONE, query(7, "web.shop.svc.cluster.local", "A"), is_datagram=True))
def test_what_is_no_question_is_not_answered_and_never_an_error(wire: bytes) -> None:
    found = answer(ZONE, wire, is_datagram=True)
    assert found is None or len(found) >= 12


def test_a_chain_ends_at_what_does_not_exist() -> None:
    assert ZONE.values("www.example.org", "A") == ("192.0.2.12",)
    assert ZONE.values("www.example.org", "AAAA") == ()
    assert ZONE.values("nowhere.org", "A") == ()
    assert ZONE.is_answered("www.example.org")
    assert not ZONE.is_answered("silent.example.org")
