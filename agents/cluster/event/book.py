"""Which events have been told: each once for every count, over restarts of the agent too.

At its start the agent reads the end of its own topic (``know``), so a listing repeats only what is older than that;
documents have the event's uid as identity, and count and last sight as version, so a repetition changes nothing there.
"""

from collections import OrderedDict
from typing import Final

from agents.cluster.record.slim import Record

_MAXIMUM_EVENTS: Final = 65_536
"""The API server keeps events for an hour; a busy cluster makes fewer in it."""
_State = tuple[str, int, int]


class EventBook:
    """The latest state told of each event; the oldest told is forgotten first."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, _State] = OrderedDict()

    def know(self, record: Record) -> bool:
        """Take in a state that is told; return whether it was not told before.

        Only a higher count, or a later sight, is news: what is told out of order stays untold.
        """
        uid = record["uid"]
        state = (record["resource_version"], record["count"], record["last_seen_at_ns"])
        before = self._told.get(uid)
        if before is not None and (before[0] == state[0] != "" or before[1:] >= state[1:]):
            return False
        self._told[uid] = state
        self._told.move_to_end(uid)
        if len(self._told) > _MAXIMUM_EVENTS:
            self._told.popitem(last=False)
        return True
