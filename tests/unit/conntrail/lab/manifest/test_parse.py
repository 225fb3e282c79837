"""From text to objects, and what is no such text."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conntrail.errors import CommandError
from conntrail.lab.manifest.parse import Source, parse_manifest

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}


def parsed(text: str | bytes) -> list[dict[str, Any]]:
    data = text.encode() if isinstance(text, str) else text
    return [value for _, value in parse_manifest(data, "a.yaml")]


def test_documents_and_lists_and_lists_in_lists_are_taken_apart() -> None:
    listing = {"apiVersion": "v1", "kind": "List", "items": [POD, {"kind": "List", "items": [POD]}]}
    text = yaml.safe_dump_all([POD, None, listing, {"kind": "List", "items": None}])
    found = parse_manifest(text.encode(), "a.yaml")
    assert [value for _, value in found] == [POD, POD, POD]
    assert [source for source, _ in found] == [Source("a.yaml", number) for number in (1, 2, 3)]


def test_items_of_a_typed_list_are_of_its_kind() -> None:
    listing = {"apiVersion": "apps/v1", "kind": "DeploymentList", "items": [{"metadata": {"name": "a"}}]}
    assert parsed(json.dumps(listing)) == [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}]


def test_dates_stay_text_as_kubernetes_reads_them() -> None:
    assert parsed("kind: A\nsince: 2026-01-01\nat: 2026-01-01T00:00:00Z") == [
        {"kind": "A", "since": "2026-01-01", "at": "2026-01-01T00:00:00Z"}
    ]


def test_merge_keys_may_be_overridden() -> None:
    assert parsed("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3")[0]["b"] == {"x": 3, "y": 2}


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "---\n---\n", "null\n", "{kind: List, items: []}"])
def test_nothing_is_nothing(text: str) -> None:
    assert parsed(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Pod\nmetadata:\n\tname: a\n", r"^a\.yaml: line 3: a tab, where YAML wants spaces: "),
        ("a: 1\nb: 2\na: 3\n", r"^a\.yaml: line 3: the key 'a' is there twice$"),
        ("kind: Pod\nname: {{name}}\n", r"^a\.yaml: line 2: a key is no text; is this a template"),
        ("kind: [\n", r"^a\.yaml: line 2: "),
        ("hello", r"^a\.yaml: expected Kubernetes objects, got 'hello'$"),
        ("- a\n- b\n", r"^a\.yaml: expected Kubernetes objects"),
        ("{kind: List, items: [1]}", r"^a\.yaml: expected Kubernetes objects, got '1'$"),
        ("[" * 100_000, r"^a\.yaml: line 1: nested more than 200 levels$"),
        ("!!python/object:os.system {}", r"^a\.yaml: line 1: "),
    ],
)
def test_what_is_not_whole_is_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        parsed(text)
    assert "\n" not in str(raised.value)


def test_aliases_of_aliases_are_refused() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(CommandError, match="aliases"):
        parsed("\n".join(lines))


@given(st.binary(max_size=200))
def test_whatever_the_bytes_there_are_objects_or_one_line(data: bytes) -> None:
    fault = ""
    try:
        assert all(isinstance(value, dict) for value in parsed(data))
    except CommandError as error:
        fault = str(error)
    assert not fault or fault.startswith("a.yaml: ")
    assert "\n" not in fault
