"""Holds the rows of an interval, bounded: where there is no room for another one, exchanges are folded by server."""

from collections.abc import Hashable
from typing import Final

from agents.node.application.exchange import NO_OFFER, Exchange
from agents.node.application.head import RequestHead
from agents.node.application.row import Row
from agents.node.application.template import REST

_CLASS: Final = 100
_FOLDED: Final = RequestHead(path=REST)


class Summary:
    """Rows by what their exchanges have in common."""

    def __init__(self, limit: int, folded_limit: int) -> None:
        self._limit = limit
        self._folded_limit = folded_limit
        self._rows: dict[Hashable, Row] = {}
        self._folded: dict[Hashable, Row] = {}
        self.overflowed = 0
        """Exchanges that have no row of their own."""

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        key = _key(exchange)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= self._limit:
                self._fold(exchange)
                return
            row = self._rows[key] = Row(exchange)
        row.add(exchange)

    def take(self) -> list[Row]:
        """All rows; the next interval begins empty."""
        rows = [*self._rows.values(), *self._folded.values()]
        self._rows, self._folded = {}, {}
        return rows

    def _fold(self, exchange: Exchange) -> None:
        """One row for a server's exchanges whose status is of one class (RFC 9110, 15: x00 stands for the class)."""
        self.overflowed += 1
        status = exchange.status // _CLASS * _CLASS
        ends = exchange.ends
        key = (ends.server, ends.dialled, exchange.protocol, status)
        row = self._folded.get(key)
        if row is None:
            if len(self._folded) >= self._folded_limit:
                return
            row = self._folded[key] = Row(exchange._replace(head=_FOLDED, status=status, offer=NO_OFFER))
        row.add(exchange._replace(head=_FOLDED, version=""))


def _key(exchange: Exchange) -> Hashable:
    ends, head = exchange.ends, exchange.head
    return (
        ends.client.high,
        ends.client.low,
        ends.server,
        ends.dialled,
        exchange.protocol,
        head.method,
        head.host,
        head.path,
        exchange.status,
        exchange.offer,
    )
