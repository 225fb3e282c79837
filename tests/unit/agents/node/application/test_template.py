"""Identifiers are folded and words are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.route import RouteTable
from agents.node.application.template import LONGEST, shallow, template_of
from tests.support.application import CLIENT, SERVER


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("", ""),
        ("*", "*"),
        ("/users/42", "/users/{id}"),
        ("/users/42/", "/users/{id}/"),
        ("/users/-1/orders", "/users/{id}/orders"),
        ("/v1/users", "/v1/users"),
        ("/api/v2beta1/list", "/api/v2beta1/list"),
        ("/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/o/{id}"),
        ("/o/3F2504E0-4F89-11D3-9A0C-0305E82C3301/x", "/o/{id}/x"),
        ("/o/3f2504e04f8911d39a0c0305e82c3301", "/o/{id}"),
        ("/c/1a2b3c4d", "/c/{id}"),
        ("/c/1a2b3c", "/c/1a2b3c"),
        ("/words/defaced/fabaceae", "/words/defaced/fabaceae"),
        ("/e/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/e/{id}"),
        ("/t/eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo", "/t/{id}"),
        ("/t/dGhpcyBpcyA0NSB0b2tlbiB3MDByZA==", "/t/{id}"),
        ("/getCustomerAccountDetailsByName", "/getCustomerAccountDetailsByName"),
        ("/static/my-long-product-name", "/static/my-long-product-name"),
        ("/report/2024-02-29", "/report/{date}"),
        ("/report/2024-02-29T10:00:00Z/pdf", "/report/{date}/pdf"),
        ("/by/jane.doe@example.com", "/by/{email}"),
        ("/by/jane.doe%40example.com/x", "/by/{email}/x"),
        ("/user-12345", "/{id}"),
        ("/pods/web-7d9f8b6c5d-x2x4z", "/pods/{id}"),
        ("/img/42.png", "/img/{id}.png"),
        ("/js/app.3f2504e0.js", "/js/app.3f2504e0.js"),
        ("/a;jsessionid=1A2B/b", "/a/b"),
        ("/" + "a" * 65, "/{id}"),
        ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14", "/" + "{id}/" * 12 + "{*}"),
    ],
)
def test_paths_fold_to_templates(path: str, template: str) -> None:
    assert template_of(path) == template


def test_the_last_segment_of_a_cut_path_is_not_told() -> None:
    assert template_of("/users/4", is_cut=True) == "/users/{*}"


@given(st.text(max_size=3000), st.booleans())
def test_templates_are_short_whatever_comes(path: str, is_cut: bool) -> None:
    assert len(template_of(path, is_cut)) <= LONGEST


@given(st.lists(st.text("ab1-_.@%", max_size=20), max_size=20))
def test_a_template_folds_no_further(segments: list[str]) -> None:
    template = template_of("/" + "/".join(segments))
    assert template_of(template) == template


def test_a_server_with_many_templates_loses_the_deeper_segments_of_new_ones() -> None:
    routes = RouteTable(4)
    words = ["a", "b", "c", "d"]
    assert [routes.admit(SERVER, f"/{word}") for word in words] == [f"/{word}" for word in words]
    assert routes.admit(SERVER, "/api/v1/new/deep") == "/api/v1/{*}"
    assert routes.admit(SERVER, "/api/v2/new/deep") == "/api/v2/{*}"
    assert routes.admit(SERVER, "/api/v3/new") == "/{*}"
    assert routes.admit(SERVER, "/a") == "/a"
    assert routes.admit(CLIENT, "/api/v3/new") == "/api/v3/new", "another server has room"


def test_templates_are_forgotten_after_an_hour() -> None:
    routes = RouteTable(1)
    routes.forget(0)
    routes.admit(SERVER, "/a")
    routes.forget(3_599_999_999_999)
    assert routes.admit(SERVER, "/b/c/d") != "/b/c/d"
    routes.forget(3_600_000_000_000)
    assert routes.admit(SERVER, "/b/c/d") == "/b/c/d"


def test_a_query_does_not_outlive_its_template() -> None:
    assert shallow("/a/b/c?d=/e", 1) == "/a/{*}"


@given(st.lists(st.integers(0, 5000), max_size=300), st.integers(1, 20))
def test_a_server_has_no_more_templates_than_its_cap_and_a_half(numbers: list[int], limit: int) -> None:
    routes = RouteTable(limit)
    admitted = {routes.admit(SERVER, f"/w{number % 7}/x{number}/y") for number in numbers}
    assert len(admitted) <= limit + limit // 2 + 1
