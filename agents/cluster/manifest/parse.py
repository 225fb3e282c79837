"""YAML text as Kubernetes objects: several documents a file, Lists taken apart; hostile text is refused."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

_MAXIMUM_BYTES: Final = 64 << 20
_MAXIMUM_ALIASES: Final = 1000
_MAXIMUM_OBJECTS: Final = 200_000
Object = Mapping[str, Any]


class ManifestError(ValueError):
    """The text is no manifest; the message says where and why."""


def parse_manifest(data: bytes) -> list[Object]:
    """Objects of one file, in order. Raises ManifestError, with the line, when it is not whole."""
    if len(data) > _MAXIMUM_BYTES:
        raise ManifestError(f"{len(data)} bytes, more than {_MAXIMUM_BYTES}")
    # Nested aliases grow without bound when they are followed; kubectl never prints any.
    if data.count(b"*") > _MAXIMUM_ALIASES and b"&" in data:
        raise ManifestError("too many aliases")
    try:
        found = [value for document in yaml.load_all(data, yaml.CSafeLoader) for value in _objects(document)]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ManifestError(f"line {line}: {error.problem or error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(str(error).splitlines()[0]) from error
    if len(found) > _MAXIMUM_OBJECTS:
        raise ManifestError(f"more than {_MAXIMUM_OBJECTS} objects")
    return found


def _objects(document: object) -> Iterator[Object]:
    if not isinstance(document, Mapping):
        return
    items = document.get("items")
    if str(document.get("kind", "")).endswith("List") and isinstance(items, list):
        kind, version = str(document["kind"])[: -len("List")], document.get("apiVersion")
        for item in items:
            if isinstance(item, Mapping):
                # Items of a typed list (PodList) do not repeat what they are.
                yield {**({"kind": kind, "apiVersion": version} if kind else {}), **item}
    else:
        yield document
