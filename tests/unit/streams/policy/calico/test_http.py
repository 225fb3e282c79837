import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy.calico.http import normalize
from streams.policy.question import Question
from tests.unit.streams.policy.builders import end
from tests.unit.streams.policy.calico.builders import DB, WEB, ask, faults, policy


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/api/v1", "/api/v1"),
        ("//api//v1/", "/api/v1"),
        ("/%61pi/v1", "/api/v1"),
        ("/pub/a/../b", "/pub/b"),
        ("/../../etc", "/etc"),
        ("/a;x=1/./b;y", "/a/b"),
        ("/pub/..;x/admin", "/admin"),
        ("/a\\..\\b", "/b"),
        ("/api?x=/y#z", "/api"),
        ("/", "/"),
        ("", None),
        ("api", None),
        ("/a%", None),
        ("/a%zz", None),
        ("/a%00/b", None),
        ("/%252e%252e/admin", None),
    ],
)
def test_spellings_of_one_path_are_one(path: str, normal: str | None) -> None:
    assert normalize(path) == normal


@given(st.text())
def test_a_normal_path_stays_as_it_is_unless_it_holds_escapes(text: str) -> None:
    normal = normalize(text)
    if normal is not None and not set("%?#") & set(normal):
        assert normalize(normal) == normal
        assert "/../" not in f"{normal}/"


def _action(http: object, request: tuple[str, str] | None) -> str:
    rule = {"action": "Allow", "protocol": "TCP", "http": http}
    return ask(policy(ingress=[rule]), of=Question(end(WEB), end(DB), "TCP", 80, request)).ingress.action


@pytest.mark.parametrize(
    ("http", "request_", "action"),
    [
        ({"methods": ["GET"]}, ("GET", "/"), "allow"),
        ({"methods": ["GET"]}, ("get", "/"), "deny"),
        ({"methods": ["*"]}, ("PURGE", "/"), "allow"),
        ({"paths": [{"prefix": "/pub"}]}, ("GET", "/pub/x"), "allow"),
        ({"paths": [{"prefix": "/pub"}]}, ("GET", "/public"), "deny"),
        ({"paths": [{"prefix": "/"}]}, ("GET", "/x"), "allow"),
        ({"paths": [{"exact": "/a"}, {"exact": "/b/"}]}, ("GET", "/b"), "allow"),
        ({"paths": [{"exact": "/a"}]}, ("GET", "/a/b"), "deny"),
        ({"methods": ["GET"], "paths": [{"exact": "/a"}]}, ("POST", "/a"), "deny"),
        ({"methods": ["GET"]}, None, "allow"),
    ],
)
def test_requests_are_held_against_methods_and_paths(
    http: object, request_: tuple[str, str] | None, action: str
) -> None:
    assert _action(http, request_) == action


def test_a_path_that_is_none_is_named() -> None:
    assert _action({"paths": [{"exact": "x"}]}, ("GET", "/x")) == "unknown"
    broken = policy(ingress=[{"action": "Allow", "http": {"paths": [{"exact": "x", "prefix": "/y"}]}}])
    assert faults(broken) == ["spec.ingress[0].http.paths[0]: needs exactly one of exact, prefix"]
