"""Who made a change, in whatever order requests and changes become known."""

from itertools import permutations
from typing import Any

import pytest

from agents.cluster.change.attribution import Attribution, Request

_SECOND = 1_000_000_000
_KEY = "Deployment/shop/web"


def _change(action: str = "scaled", name: str = "c") -> dict[str, Any]:
    return {"id": name, "action": action, "by": "", "by_at_ns": 0}


def _request(user: str, at: int, verb: str = "patch", key: str = _KEY) -> Request:
    return Request(key, verb, user, at * _SECOND)


_HAPPENED: list[Any] = [("a", 100), (("first", 101)), ("b", 110), (("second", 111))]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_each_change_is_of_the_latest_request_before_it_whatever_is_known_first(order: tuple[int, ...]) -> None:
    attribution = Attribution()
    known: dict[str, dict[str, Any]] = {}
    for place in order:
        name, at = _HAPPENED[place]
        if name in ("a", "b"):
            known |= {change["id"]: change for change in attribution.note_request(_request(name, at))}
        else:
            change = attribution.note_change(_KEY, _change(name=name), at * _SECOND)
            known[change["id"]] = change
    assert {name: change["by"] for name, change in known.items()} == {"first": "a", "second": "b"}


@pytest.mark.parametrize(
    ("action", "request_", "seen"),
    [
        ("scaled", _request("a", 100, key="Deployment/shop/other"), 101),
        ("deleted", _request("a", 100, "patch"), 101),
        ("created", _request("a", 100, "delete"), 101),
        ("restarted", _request("a", 100), 101),
        ("ready", _request("a", 100), 101),
        ("scaled", _request("a", 100), 401),
        ("scaled", _request("a", 105), 101),
        ("scaled", _request("", 100), 101),
    ],
)
def test_what_does_not_fit_is_nobodys(action: str, request_: Request, seen: int) -> None:
    attribution = Attribution()
    attribution.note_request(request_)
    assert attribution.note_change(request_.key, _change(action), seen * _SECOND)["by"] == "" or request_.key != _KEY
    assert attribution.note_change(_KEY, _change(action), seen * _SECOND)["by"] == ""


def test_what_is_remembered_is_bounded() -> None:
    attribution = Attribution()
    for number in range(5000):
        attribution.note_request(_request("a", 100, key=f"Deployment/shop/{number}"))
    assert attribution.note_change("Deployment/shop/0", _change(), 101 * _SECOND)["by"] == ""
    assert attribution.note_change("Deployment/shop/4999", _change(), 101 * _SECOND)["by"] == "a"


_SEEN = 1000 * _SECOND + 50_000_000


def test_who_came_after_a_change_takes_it_from_nobody() -> None:
    alice, bob = _request("alice", 1000), _request("bob", 1001)
    for requests in ((alice, bob), (bob, alice)):
        attribution = Attribution()
        for request in requests:
            attribution.note_request(request)
        assert attribution.note_change(_KEY, _change(), _SEEN)["by"] == "alice"
    attribution = Attribution()
    attribution.note_change(_KEY, _change(), _SEEN)
    assert [change["by"] for change in attribution.note_request(alice)] == ["alice"]
    assert attribution.note_request(bob) == []


@pytest.mark.parametrize("others", [[], [_request("other", 900)], [_request("other", 1002)]])
def test_where_the_clock_of_the_api_server_is_ahead_the_next_request_made_the_change(others: list[Request]) -> None:
    attribution = Attribution()
    for request in (*others, _request("alice", 1001)):
        attribution.note_request(request)
    assert attribution.note_change(_KEY, _change(), _SEEN)["by"] == "alice"
    attribution = Attribution()
    attribution.note_change(_KEY, _change(), _SEEN)
    for request in sorted((*others, _request("alice", 1001)), key=lambda one: one.received_at_ns):
        told = attribution.note_request(request)
        assert [change["by"] for change in told] == ([] if request.received_at_ns > 1001 * _SECOND else [request.user])
