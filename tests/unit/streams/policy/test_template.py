import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.node.application.template import shallow, template_of
from streams.policy.calico.http import normalize
from streams.policy.template import begins, equals, is_below, is_template

IDENTIFIERS = st.sampled_from(
    ["17", "-1", "0x0badcafe", "2026-01-02", "a@b.example", "user-12345", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
     "a1b2c3d4e5f6g7h8", "x" * 65, "17.json", "2026-01-02.tar"]
)  # fmt: skip
SEGMENTS = st.one_of(st.sampled_from(["orders", "new", "v1", "a.json", "", "{id}"]), IDENTIFIERS)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=15).map(lambda segments: "/" + "/".join(segments))
TEMPLATES = st.one_of(
    PATHS.map(lambda path: (path, template_of(path))),
    st.tuples(PATHS, st.integers(0, 3)).map(lambda made: (made[0], shallow(template_of(made[0]), made[1]))),
)


@pytest.mark.parametrize(
    ("path", "other", "expected"),
    [
        ("/orders/17", "/orders/17", True),
        ("/orders/17", "/orders/18", False),
        ("/orders/{id}", "/orders/17", None),
        ("/orders/{id}", "/orders/new", False),
        ("/orders/{id}", f"/orders/{'x' * 65}", None),
        ("/orders/{id}", "/orders/", False),
        ("/orders/{id}", "/orders/17/items", False),
        ("/orders/{id}/items", "/bills/17/items", False),
        ("/{date}.json", "/2026-01-02.json", None),
        ("/{date}.json", "/2026-01-02.xml", False),
        ("/a/{*}", "/a/b/c", None),
        ("/a/{*}", "/a", None),
        ("/a/{*}", "/b/c", False),
        ("{*}", "/b", None),
    ],
)
def test_equals(path: str, other: str, expected: bool | None) -> None:
    assert equals(path, other) is expected


@pytest.mark.parametrize(
    ("path", "prefix", "expected"),
    [
        ("/orders/{id}", "/orders", True),
        ("/orders/{id}", "/ord", True),
        ("/orders/{id}", "/orders/", True),
        ("/orders/{id}", "/orders/1", None),
        ("/orders/{id}/items", "/orders/17/it", None),
        ("/orders/{id}/items", "/orders/new/", False),
        ("/orders/{id}", "/bills", False),
        ("/orders/{id}", "/orders/17/", False),
        ("/a/{*}", "/a", True),
        ("/a/{*}", "/a/", None),
        ("/a/{*}", "/b", False),
        ("/a", "", True),
    ],
)
def test_begins(path: str, prefix: str, expected: bool | None) -> None:
    assert begins(path, prefix) is expected


@pytest.mark.parametrize(
    ("path", "other", "expected"),
    [
        ("/orders/{id}", "/orders", True),
        ("/orders/{id}", "/ord", False),
        ("/orders/{id}", "/orders/17", None),
        ("/orders/{id}", "/orders/17/items", False),
        ("/a/{*}", "/a", True),
        ("/a/{*}", "/a/b", None),
    ],
)
def test_is_below(path: str, other: str, expected: bool | None) -> None:
    assert is_below(path, other) is expected


@given(TEMPLATES, PATHS)
@example(("/a", shallow("/a", 2)), "/a")
def test_what_is_said_of_a_template_is_true_of_the_path_behind(made: tuple[str, str], other: str) -> None:
    path, template = made
    assert equals(template, other) in (None, path == other)
    assert equals(template, path) is not False
    assert is_below(template, other) in (None, path == other or path.startswith(f"{other}/"))
    normal, folded, asked = normalize(path), normalize(template), normalize(other)
    assert normal is not None
    assert folded is not None
    assert asked is not None
    assert equals(folded, asked) in (None, normal == asked)


@given(TEMPLATES, st.one_of(PATHS, st.text("/17ord", max_size=8)), st.data())
def test_what_is_said_of_how_a_template_begins_is_true_of_the_path(
    made: tuple[str, str], prefix: str, data: st.DataObject
) -> None:
    path, template = made
    assert begins(template, prefix) in (None, path.startswith(prefix))
    assert begins(template, path[: data.draw(st.integers(0, len(path)))]) is not False


@given(PATHS, PATHS)
def test_a_path_in_which_nothing_is_folded_is_decided(path: str, other: str) -> None:
    if is_template(path):
        return
    assert equals(path, other) == (path == other)
    assert begins(path, other) == path.startswith(other)
    assert is_below(path, other) == (path == other or path.startswith(f"{other}/"))
