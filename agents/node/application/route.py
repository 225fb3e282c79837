"""Bounds the number of distinct path templates of each server: whatever a scanner asks for, the rows stay few."""

from typing import Final

from agents.node.application.template import shallow
from agents.node.payload.packet import End

_SERVERS: Final = 512
_HOUR_NS: Final = 3_600_000_000_000
_DEPTHS: Final = (2, 1)
"""Segments that are left of a template for which there is no room."""


class RouteTable:
    """Templates that have been told, as 64-bit hashes: some 60 bytes each, at most ``limit`` and a half for a server.

    They are forgotten every hour, so that a scan does not blind us to new routes for ever.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._reserve = limit + limit // 2
        self._known: dict[End, set[int]] = {}
        self._forgot_at_ns = 0

    def admit(self, server: End, template: str) -> str:
        """The template, or where there is no room for another one, a shallower one."""
        known = self._known.get(server)
        if known is None:
            if len(self._known) >= _SERVERS:
                del self._known[next(iter(self._known))]
            known = self._known[server] = set()
        if _has_room(known, template, self._limit):
            return template
        for depth in _DEPTHS:
            shorter = shallow(template, depth)
            if _has_room(known, shorter, self._reserve):
                return shorter
        return shallow(template, 0)

    def forget(self, now_ns: int) -> None:
        """Begin anew when an hour has passed."""
        if now_ns - self._forgot_at_ns >= _HOUR_NS:
            self._known.clear()
            self._forgot_at_ns = now_ns


def _has_room(known: set[int], template: str, limit: int) -> bool:
    number = hash(template)
    if number in known:
        return True
    if len(known) >= limit:
        return False
    known.add(number)
    return True
