"""What must be known of a YAML text before it is loaded: that it is neither too deep nor grows without bound.

libyaml's composer calls itself for every level and crashes the process some 100,000 levels down; aliases of aliases
double what they name.
"""

import re
from collections.abc import Iterable
from typing import Final

import yaml

_DEEPEST: Final = 200
_MAXIMUM_NODES: Final = 20_000_000
_PLAIN_LINE_BYTES: Final = 4096
_FLOW: Final = re.compile(rb"[\[{&]")
_LONG_LINE: Final = re.compile(rb"[^\n]{%d}" % _PLAIN_LINE_BYTES)


class GuardError(ValueError):
    """The text is hostile; the message says how, ``line`` where."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def is_plain(data: bytes) -> bool:
    """Whether the text cannot be hostile: block nesting takes columns, flow nesting brackets, growth anchors."""
    return len(_FLOW.findall(data)) < _PLAIN_LINE_BYTES and _LONG_LINE.search(data) is None and b"&" not in data


def check_events(events: Iterable[yaml.Event]) -> None:
    """Raise GuardError when loading what the parser reports would go too deep or become too large."""
    weights: dict[str, int] = {}
    open_anchors: list[tuple[str | None, int]] = []
    nodes = 0
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_anchors.pop()
            if anchor is not None:
                weights[anchor] = nodes - before
        elif isinstance(event, yaml.NodeEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            nodes += weights.get(event.anchor or "", 1) if isinstance(event, yaml.AliasEvent) else 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_anchors.append((event.anchor, nodes))
            if len(open_anchors) > _DEEPEST:
                raise GuardError(f"nested more than {_DEEPEST} levels", line)
            if nodes > _MAXIMUM_NODES:
                raise GuardError(f"its aliases stand for more than {_MAXIMUM_NODES} values", line)
