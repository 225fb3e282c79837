"""Sends actions in bulk requests of bounded size, each to its end.

The client's bulk helpers are not used: they raise on a single 429, let connection errors through and sleep inside
a generator.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from elasticsearch import ApiError, TransportError

from streams.errors import WriteError
from streams.index.bulk import (
    MAXIMUM_REQUEST_BYTES,
    Action,
    Fate,
    ItemOutcome,
    is_passing,
    item_outcome,
    take_request,
)
from streams.index.connection.writer import Connection
from streams.index.target.writer import TargetWriter

_REFUSALS_BEFORE_SPLIT: Final = 1
_REQUEST_GROWTH_BYTES: Final = 16 << 10
_TOO_LARGE: Final = 413
_BULK_FILTER: Final = "items.*.status,items.*.error"


class RequestWriter:
    """Bulk requests of one worker, as large as Elasticsearch takes them."""

    def __init__(self, connection: Connection, targets: TargetWriter) -> None:
        self._connection = connection
        self._targets = targets
        self._request_bytes = MAXIMUM_REQUEST_BYTES

    async def send(self, actions: Iterable[Action]) -> dict[int, ItemOutcome]:
        """What became of each action, by its number. Raises WriteError when we may not write."""
        fates: dict[int, ItemOutcome] = {}
        pending = deque(actions)
        refusals = 0
        while pending:
            chunk = take_request(pending, self._request_bytes)
            try:
                again = _sort_out(chunk, await self._bulk(chunk), fates)
            except ApiError as error:
                again = self._after_refusal(error, chunk, fates, refusals)
                reason = str(error.status_code)
            except TransportError as error:
                self._connection.require_trust(error)
                again, reason = chunk, type(error).__name__
            else:
                reason = "document"
                self._request_bytes = min(MAXIMUM_REQUEST_BYTES, self._request_bytes + _REQUEST_GROWTH_BYTES)
            pending.extendleft(reversed(again))
            refusals = await self._connection.wait(reason, refusals) if again else 0
            if again and reason == "document":
                # Perhaps since their index was removed.
                await self._targets.require_again(dict.fromkeys(action.index for action in again))
        return fates

    async def _bulk(self, chunk: Sequence[Action]) -> list[ItemOutcome]:
        lines: Any = [action.lines[:-1] for action in chunk]  # the client passes encoded lines on as they are
        answer = await self._connection.client.bulk(operations=lines, filter_path=_BULK_FILTER)
        return [item_outcome(item) for item in answer["items"]]

    def _after_refusal(
        self, error: ApiError, chunk: list[Action], fates: dict[int, ItemOutcome], refusals: int
    ) -> list[Action]:
        """The whole request was refused: return what is to be sent again, in smaller requests where size may be why."""
        is_large = error.status_code == _TOO_LARGE
        if not is_large and not is_passing(error.status_code):
            raise self._connection.failure(error) from error
        if is_large and len(chunk) == 1:
            fates[chunk[0].number] = ItemOutcome(Fate.REFUSED, f"{chunk[0].size_bytes} bytes: {error.message}")
            return []
        if is_large or refusals >= _REFUSALS_BEFORE_SPLIT:
            # Over the node's indexing pressure limit a request of this size is refused for ever.
            self._request_bytes = sum(action.size_bytes for action in chunk) // 2
        return chunk


def _sort_out(chunk: Sequence[Action], items: Sequence[ItemOutcome], fates: dict[int, ItemOutcome]) -> list[Action]:
    """Note what is settled; return what is to be sent again. Raises WriteError when we may not write."""
    again = []
    for action, item in zip(chunk, items, strict=True):
        if item.fate is Fate.FORBIDDEN:
            raise WriteError(f"Elasticsearch refuses: {item.reason}; check CONNTRAIL_ELASTICSEARCH__API_KEY")
        if item.fate is Fate.AGAIN:
            again.append(action)
        else:
            fates[action.number] = item
    return again
