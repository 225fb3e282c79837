from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from conntrail.observe.condition import FilterError
from conntrail.observe.mask import masked, parse_mask
from schemas.topic import DNS, FLOWS, L7, Topic
from streams.index.documents import document_of
from tests.unit.streams.index.builders import dns, flow, l7

DOCUMENT = {"source": {"ip": "10.0.0.1", "port": 1, "kubernetes": {"namespace": "shop"}}, "event": {"action": "denied"}}


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (["event.action"], {"event": {"action": "denied"}}),
        (["source.ip,event.action"], {"source": {"ip": "10.0.0.1"}, "event": {"action": "denied"}}),
        (["source.kubernetes", "source.ip"], {"source": {"kubernetes": {"namespace": "shop"}, "ip": "10.0.0.1"}}),
        (["source.ip", "source"], {"source": DOCUMENT["source"]}),
        (["destination.ip"], {}),
        (["source.kubernetes.labels.app.kubernetes.io/name"], {}),
    ],
)
def test_only_the_fields_that_are_asked_for_are_left(mask: list[str], expected: dict[str, object]) -> None:
    assert masked(DOCUMENT, parse_mask(mask, ["flow"])) == expected


def test_a_label_is_a_field_though_its_key_has_dots() -> None:
    of = {"source": {"kubernetes": {"labels": {"app.kubernetes.io/name": "web", "app": "x"}}}}
    path = parse_mask(["source.kubernetes.labels.app.kubernetes.io/name"], ["flow"])
    assert masked(of, path) == {"source": {"kubernetes": {"labels": {"app.kubernetes.io/name": "web"}}}}


def test_of_a_list_of_objects_each_is_masked_and_those_without_the_field_are_left_out() -> None:
    of = {"dns": {"answers": [{"data": "10.0.0.1", "ttl": 5}, {"ttl": 5}, {"data": "10.0.0.2"}], "id": "7"}}
    path = parse_mask(["dns.answers.data"], ["dns"])
    assert masked(of, path) == {"dns": {"answers": [{"data": "10.0.0.1"}, {"data": "10.0.0.2"}]}}
    assert masked({"dns": {"answers": [{"ttl": 5}, "text"]}}, path) == {}


@pytest.mark.parametrize(("topic", "record"), [(FLOWS, flow()), (DNS, dns()), (L7, l7())])
def test_every_field_of_a_document_can_be_asked_for(topic: Topic, record: dict[str, Any]) -> None:
    body = document_of(topic, record, "default").body
    assert body is not None
    for path in _paths(body):
        assert masked(body, parse_mask([path], [topic.name.removesuffix("s") if topic is FLOWS else topic.name]))


def _paths(body: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in body.items():
        yield f"{prefix}{name}"
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield from _paths(item, f"{prefix}{name}.")


@pytest.mark.parametrize(
    ("mask", "types", "expected"),
    [
        ("source.ipp", ["flow"], "did you mean source.ip"),
        ("verdict", ["flow"], "did you mean policy.verdict"),
        ("response_code", ["dns"], "did you mean dns.response_code"),
        ("dns.question.name", ["flow"], "there is no such field"),
        ("zzz", ["flow"], r"docs/fields\.md names all"),
    ],
)
def test_of_a_field_that_is_none_those_that_may_be_meant_are_named(mask: str, types: list[str], expected: str) -> None:
    with pytest.raises(FilterError, match=expected):
        parse_mask([mask], types)


@pytest.mark.parametrize("mask", ["", "source.", ".ip", "source..ip", "a,,b", ".".join("a" * 17)])
def test_what_is_no_field_is_named(mask: str) -> None:
    with pytest.raises(FilterError, match=r"there is no such field"):
        parse_mask([mask], ["flow"])
