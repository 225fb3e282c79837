"""YAML text as Kubernetes objects, each with where it is from; Lists taken apart.

Read as Kubernetes' own tools read it: a date is text, and a key that is there twice is an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from agents.cluster.manifest.guard import GuardError, check_events, is_plain
from conntrail.errors import CommandError
from conntrail.lab.cluster import Object

MAXIMUM_BYTES: Final = 64 << 20
_MAXIMUM_LISTS: Final = 8
_MERGE: Final = "tag:yaml.org,2002:merge"
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an object is from."""

    path: str
    number: int
    """Of the object in its file, from 1."""


class _Loader(yaml.CSafeLoader):
    """Dates stay text, and no key is lost to another of the same name."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if fault := _fault_of_key(key, seen):
                raise yaml.MarkedYAMLError(problem=fault, problem_mark=key.start_mark)
            if key.tag != _MERGE:
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _fault_of_key(key: yaml.Node, seen: set[str]) -> str:
    if not isinstance(key, yaml.ScalarNode):
        return "a key is no text; is this a template that was not filled in?"
    return f"the key {key.value[:60]!r} is there twice" if key.value in seen else ""


def parse_manifest(data: bytes, path: str) -> list[tuple[Source, Object]]:
    """Objects of one file, in order. Raises CommandError with the line when it is not whole, or hostile."""
    if len(data) > MAXIMUM_BYTES:
        raise CommandError(f"{path}: {len(data)} bytes, more than {MAXIMUM_BYTES}")
    found: list[tuple[Source, Object]] = []
    for document in _documents(data, path):
        if document is not None:
            found += [(Source(path, len(found) + n), value) for n, value in enumerate(_objects(document, path, 0), 1)]
    return found


def _documents(data: bytes, path: str) -> list[object]:
    try:
        if not is_plain(data):
            check_events(yaml.parse(data, yaml.CSafeLoader))
        return list(yaml.load_all(data, _Loader))
    except GuardError as error:
        raise CommandError(f"{path}: line {error.line}: {error}") from error
    except yaml.MarkedYAMLError as error:
        raise CommandError(f"{path}: {_where(error, data)}{error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise CommandError(f"{path}: {(str(error) or type(error).__name__).splitlines()[0]}") from error


def _where(error: yaml.MarkedYAMLError, data: bytes) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return ""
    line = b"".join(data.splitlines()[mark.line : mark.line + 1])
    tab = "a tab, where YAML wants spaces: " if line[: len(line) - len(line.lstrip())].count(b"\t") else ""
    return f"line {mark.line + 1}: {tab}"


def _objects(document: object, path: str, depth: int) -> Iterator[Object]:
    if not isinstance(document, Mapping):
        raise CommandError(f"{path}: expected Kubernetes objects, got {str(document)[:40]!r}")
    kind, items = str(document.get("kind", "")), document.get("items")
    if not kind.endswith("List") or not isinstance(items, list | None):
        yield dict(document)
        return
    if depth >= _MAXIMUM_LISTS:
        raise CommandError(f"{path}: Lists within Lists without end")
    version = document.get("apiVersion")
    for item in items or ():
        # Items of a typed list (PodList) do not repeat what they are.
        of_list = {} if kind == "List" else {"kind": kind.removesuffix("List"), "apiVersion": version}
        yield from _objects({**of_list, **item} if isinstance(item, Mapping) else item, path, depth + 1)
