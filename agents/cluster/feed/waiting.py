"""What was told of objects before they were known: watches and the audit log come in no common order.

When such an object becomes known within a minute, what was told of it is told again with the workloads it touches;
the index puts the named record in place of the nameless one.
"""

from collections import OrderedDict
from typing import Final

from agents.cluster.record.slim import Record
from schemas.topic import Topic

_PATIENCE_NS: Final = 60 * 1_000_000_000
_MAXIMUM_OBJECTS: Final = 4096
_MAXIMUM_OF_OBJECT: Final = 16


class Waiting:
    """Records by the key of the object that they are about; the oldest objects give way."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, list[tuple[int, Topic, Record]]] = OrderedDict()

    def hold(self, key: str, topic: Topic, record: Record, now_ns: int) -> None:
        """A record that was told without names."""
        held = self._held.setdefault(key, [])
        held.append((now_ns, topic, record))
        del held[:-_MAXIMUM_OF_OBJECT]
        if len(self._held) > _MAXIMUM_OBJECTS:
            self._held.popitem(last=False)

    def release(self, key: str, now_ns: int) -> list[tuple[Topic, Record]]:
        """The object is known: what waited for it, unless that was too long ago."""
        held = self._held.pop(key, [])
        return [(topic, record) for at_ns, topic, record in held if now_ns - at_ns <= _PATIENCE_NS]
