"""Makes sure that an index is there before anything is written to it, and that it has our mapping."""

import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from functools import partial
from typing import Final

from elasticsearch import NotFoundError

from streams.errors import WriteError
from streams.index.connection.writer import Connection
from streams.index.template import MANAGED_BY

_NEW_INDICES_AN_HOUR: Final = 200
"""A node with a wrong clock, or a hostile one, must not make an index for every day there ever was."""


class TargetWriter:
    """The indices that one worker writes to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: OrderedDict[str, None] = OrderedDict()
        self._created_at: deque[float] = deque()

    async def require(self, names: Iterable[str]) -> set[str]:
        """Those of the names that are refused: far too many new days. Raises WriteError for an index without our
        mapping.
        """
        return {name for name in names if name not in self._known and not await self._is_there(name)}

    async def require_again(self, names: Iterable[str]) -> None:
        """Look again for indices that may have been removed: they come back with our mapping or not at all."""
        for name in names:
            await self._is_there(name)

    async def _is_there(self, name: str) -> bool:
        is_there: bool = await self._connection.ask(partial(self._require, name))
        return is_there

    async def _require(self, name: str) -> bool:
        """Whether the index may be written to; it is created when it is not there, and kept only with our mapping."""
        client = self._connection.client
        is_created = False
        try:
            mapping = await client.indices.get_mapping(index=name)
        except NotFoundError:
            if not self._may_create():
                return False
            await client.options(ignore_status=400).indices.create(index=name)  # 400: another worker was faster
            is_created = True
            mapping = await client.indices.get_mapping(index=name)
        if mapping[name]["mappings"].get("_meta", {}).get("managed_by") != MANAGED_BY:
            if is_created:
                await client.indices.delete(index=name)
            raise WriteError(f"no index template of ours applies to {name}: run conntrail setup")
        self._known[name] = None
        if len(self._known) > _NEW_INDICES_AN_HOUR:
            self._known.popitem(last=False)
        return True

    def _may_create(self) -> bool:
        now = time.monotonic()
        while self._created_at and self._created_at[0] < now - 3600:
            self._created_at.popleft()
        if len(self._created_at) >= _NEW_INDICES_AN_HOUR:
            return False
        self._created_at.append(now)
        return True
