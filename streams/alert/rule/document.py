"""YAML as plain values that remember their lines, so that every fault can name its own.

Only scalars, lists and mappings without anchors: nothing in a rule needs more, and hostile text lives by the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from streams.alert.rule.fault import Fault

_MAXIMUM_BYTES: Final = 256 << 10
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number or flag as it is written."""

    text: str
    line: int
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Values in a row."""

    items: tuple["Node", ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """Values by name."""

    items: Mapping[str, "Node"]
    line: int
    lines: Mapping[str, int]
    """Where each name stands."""


Node = Scalar | Listing | Table


class DocumentError(ValueError):
    """The text is no document of ours."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def read_document(text: str, file: str) -> Node | None:
    """The document's root; None when it is empty. Raise DocumentError, with the line, when it is none."""
    if len(text.encode("utf-8", "replace")) > _MAXIMUM_BYTES:
        raise DocumentError(Fault(file, 0, f"more than {_MAXIMUM_BYTES} bytes"))
    try:
        _check_events(text, file)
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise DocumentError(Fault(file, line, f"no YAML: {error.problem}")) from error
    except yaml.YAMLError as error:
        raise DocumentError(Fault(file, 0, f"no YAML: {' '.join(str(error).split())}")) from error
    return None if root is None else _node(root, file)


def _check_events(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise DocumentError(Fault(file, line, "anchors and aliases are not read"))
        if depth > _DEEPEST:
            raise DocumentError(Fault(file, line, f"nested more than {_DEEPEST} levels"))


def _node(node: yaml.Node, file: str) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Scalar(str(node.value), line, node.style in ("'", '"', "|", ">"))
    if isinstance(node, yaml.SequenceNode):
        return Listing(tuple(_node(item, file) for item in node.value), line)
    items: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key, value in _pairs(node, file):
        name, at = str(key.value), key.start_mark.line + 1
        if name in items:
            raise DocumentError(Fault(file, at, f"{name} is given twice"))
        items[name], lines[name] = _node(value, file), at
    return Table(items, line, lines)


def _pairs(node: yaml.Node, file: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise DocumentError(Fault(file, key.start_mark.line + 1, "a name must be a word"))
        yield key, value
