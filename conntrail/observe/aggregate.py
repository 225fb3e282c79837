"""``--aggregate-by``: documents counted by what they have in common, in bounded memory."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from conntrail.observe.condition import Document, FilterError, values_at
from conntrail.observe.newest import identity, stamp
from conntrail.observe.render import end_name, first, service_name, text

MOST_GROUPS: Final = 10_000
"""Names come from whoever makes traffic, so groups beyond these are counted together."""
_FIELDS: Final = {
    "verdict": "event.action", "protocol": "network.transport", "reason": "event.reason", "port": "destination.port",
    "domain": "destination.domain", "type": "event.dataset", "policy": "policy.denied_by",
    "coverage": "flow.coverage",
}  # fmt: skip
_OF_ENDS: Final = ("namespace", "workload", "pod", "node", "ip")
KEYS: Final = (*(f"{prefix}{kind}" for kind in _OF_ENDS for prefix in ("", "from-", "to-")), "service", *_FIELDS)
"""What can be counted by; a kind of both ends alone means the source's and the destination's."""
_REST: Final = "(others)"
MOST_REMEMBERED: Final = 200_000
"""Documents of which it is known what they added, about 250 bytes each; a flow that is told again replaces itself."""


def parse_keys(texts: Sequence[str]) -> tuple[str, ...]:
    """Keys separated by commas, each once, those of both ends as two. Raises FilterError."""
    found: dict[str, None] = {}
    for key in (key.strip() for given in texts for key in given.split(",")):
        if key not in KEYS:
            raise FilterError(f"--aggregate-by {key!r}: expected some of {', '.join(KEYS)}")
        found.update(dict.fromkeys((f"from-{key}", f"to-{key}") if key in _OF_ENDS else (key,)))
    return tuple(found)


@dataclass(slots=True)
class _Sum:
    count: int = 0
    size_bytes: int = 0
    last: str = ""

    def add(self, count: int, size_bytes: int) -> None:
        self.count += count
        self.size_bytes += size_bytes


class Aggregate:
    """Sums by key: how many (of exchanges, as many as a document tells of), bytes both ways, and the last time."""

    def __init__(
        self, keys: Sequence[str], most_groups: int = MOST_GROUPS, most_remembered: int = MOST_REMEMBERED
    ) -> None:
        self._keys = keys
        self._most = most_groups
        self._groups: dict[tuple[str, ...], _Sum] = {}
        self._rest = _Sum()
        self._most_remembered = most_remembered
        self._added: OrderedDict[int, tuple[_Sum, int, int]] = OrderedDict()

    @property
    def beyond(self) -> int:
        """How many were counted together, as there were too many groups."""
        return self._rest.count

    def add(self, document: Document) -> None:
        """Count a document in; of one that is told again, only what it says now counts."""
        group = tuple(_value(document, key) for key in self._keys)
        is_room = group in self._groups or len(self._groups) < self._most
        found = self._groups.setdefault(group, _Sum()) if is_room else self._rest
        count, size = _whole(first(document, "conntrail.count"), 1), _whole(first(document, "network.bytes"), 0)
        self._take_back(hash(identity(document)), (found, count, size))
        found.add(count, size)
        found.last = max(found.last, stamp(document))

    def _take_back(self, name: int, added: tuple[_Sum, int, int]) -> None:
        before = self._added.pop(name, None)
        if before is not None:
            earlier, count, size = before
            earlier.add(-count, -size)
        self._added[name] = added
        if len(self._added) > self._most_remembered:
            self._added.popitem(last=False)

    def rows(self) -> list[dict[str, Any]]:
        """The greatest first; what was counted together comes last."""
        groups = [(group, found) for group, found in self._groups.items() if found.count]
        ordered = sorted(groups, key=lambda entry: (-entry[1].count, entry[0]))
        rest = [((_REST,) * len(self._keys), self._rest)] if self._rest.count else []
        return [
            {**dict(zip(self._keys, group, strict=True)), "count": found.count, "bytes": found.size_bytes,
             "last": found.last}
            for group, found in (*ordered, *rest)
        ]  # fmt: skip


def _value(document: Document, key: str) -> str:
    if key in _FIELDS:
        return ", ".join(str(value) for value in values_at(document, _FIELDS[key]))
    if key == "service":
        return service_name(document)
    prefix, _, kind = key.partition("-")
    end = "source" if prefix == "from" else "destination"
    if kind == "pod":
        return end_name(document, end, with_port=False)
    if kind == "ip":
        return text(document, f"{end}.ip")
    namespace = text(document, f"{end}.kubernetes.namespace")
    if kind == "namespace":
        return namespace
    name = text(document, f"{end}.kubernetes.{kind}.name")
    return f"{namespace}/{name}" if kind == "workload" and namespace and name else name


def _whole(value: Any, otherwise: int) -> int:
    """What a file says may be anything."""
    return value if isinstance(value, int) and value >= 0 else otherwise
