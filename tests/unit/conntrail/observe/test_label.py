import pytest

from conntrail.observe.condition import FilterError, matches, query
from conntrail.observe.label import flat_labels, parse_label_selector
from conntrail.observe.selection import EndSelection
from tests.unit.conntrail.observe.documents import answers, document

LABELS = {"app": "web", "tier": "front", "app.kubernetes.io/name": "shop"}


def selected(labels: object, *selectors: str, end: str = "source") -> bool:
    of = document(source__kubernetes__labels=labels, destination__kubernetes__labels={})
    wanted = EndSelection(end, labels=selectors).conditions()
    found = matches(wanted, of)
    assert answers(query(wanted, None, None), of) == found
    return found


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=web", True), ("app==web", True), ("app = web", True), ("app=api", False), ("App=web", False),
        ("app!=api", True), ("app!=web", False), ("none!=web", True),
        ("app", True), ("none", False), ("!none", True), ("! app", False),
        ("app in (api, web)", True), ("app in (api)", False), ("app notin (api,db)", True), ("none notin (a)", True),
        ("app=web,tier=front", True), ("app=web, tier in (back)", False), ("app=", False),
        ("app.kubernetes.io/name=shop", True), ("k8s:app=web", True),
    ],
)  # fmt: skip
def test_a_selector_means_what_it_means_to_kubectl(selector: str, expected: bool) -> None:
    assert selected(LABELS, selector) is expected


def test_several_selectors_are_alternatives_of_one_end() -> None:
    assert selected(LABELS, "app=api", "tier=front")
    assert selected(LABELS, "app=web", end="any")
    assert not selected(LABELS, "app=web", end="destination")


def test_an_end_that_is_no_pod_is_selected_by_nothing() -> None:
    outside = document(source__kubernetes=None)
    wanted = EndSelection("source", labels=["app!=web"]).conditions()
    assert not matches(wanted, outside)
    assert not answers(query(wanted, None, None), outside)


@pytest.mark.parametrize(
    "text", ["", ",", "app=web,", "app in", "app in ()", "app>1", "a b", "=web", "!", "app=w*", "a=b" * 500]
)
def test_what_is_no_selector_is_a_mistake(text: str) -> None:
    with pytest.raises(FilterError, match="expected a selector as"):
        parse_label_selector(text)


def test_labels_that_came_back_as_objects_are_those_that_were_sent() -> None:
    nested = {"app": {"kubernetes": {"io/name": "shop"}}, "tier": "front"}
    assert dict(flat_labels(nested)) == {"app.kubernetes.io/name": "shop", "tier": "front"}
    assert selected(LABELS, "app.kubernetes.io/name=shop")
