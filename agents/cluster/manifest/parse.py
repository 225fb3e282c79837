"""YAML or JSON text as Kubernetes objects: several documents a file, Lists taken apart; hostile text is refused."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import yaml

from agents.cluster.manifest.guard import GuardError, check_events, is_plain

MAXIMUM_BYTES: Final = 64 << 20
_MAXIMUM_OBJECTS: Final = 200_000
_MAXIMUM_LISTS: Final = 8
Object = Mapping[str, Any]


class ManifestError(ValueError):
    """The text is no manifest; the message says why, ``line`` where, 0 for the whole."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


def parse_manifest(data: bytes) -> list[Object]:
    """Objects of one file, in order. Raises ManifestError, with the line, when it is not whole."""
    if len(data) > MAXIMUM_BYTES:
        raise ManifestError(f"{len(data)} bytes, more than {MAXIMUM_BYTES}")
    found: list[Object] = []
    for document in _documents(data):
        found += _objects(document, 0)
        if len(found) > _MAXIMUM_OBJECTS:
            raise ManifestError(f"more than {_MAXIMUM_OBJECTS} objects")
    return found


def _documents(data: bytes) -> Iterable[object]:
    if data.lstrip()[:1] == b"{":
        try:
            # Fifty times faster than as YAML, of which it is a part.
            return [json.loads(data)]
        except RecursionError as error:
            raise ManifestError("nested too deep") from error
        except ValueError:
            pass
    try:
        if not is_plain(data):
            check_events(yaml.parse(data, yaml.CSafeLoader))
        return list(yaml.load_all(data, yaml.CSafeLoader))
    except GuardError as error:
        raise ManifestError(str(error), error.line) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ManifestError(error.problem or str(error).splitlines()[0], line) from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise ManifestError((str(error) or type(error).__name__).splitlines()[0]) from error


def _objects(document: object, depth: int) -> Iterator[Object]:
    if not isinstance(document, Mapping):
        return
    items = document.get("items")
    if not str(document.get("kind", "")).endswith("List") or not isinstance(items, list):
        yield document
        return
    if depth >= _MAXIMUM_LISTS:
        raise ManifestError("Lists within Lists without end")
    kind, version = str(document["kind"])[: -len("List")], document.get("apiVersion")
    for item in items:
        if isinstance(item, Mapping):
            # Items of a typed list (PodList) do not repeat what they are.
            yield from _objects({**({"kind": kind, "apiVersion": version} if kind else {}), **item}, depth + 1)
