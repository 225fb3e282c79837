"""Calls that wait for a broker or registry that is away, off the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from schemas.errors import RegistryAwayError
from streams.errors import ReadError

Answer = TypeVar("Answer")
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 15.0
_log = structlog.get_logger()


async def patiently(ask: Callable[..., Answer], *arguments: Any) -> Answer:
    """Ask in a thread, again and again until there is an answer: what must be read cannot be done without."""
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            return await asyncio.to_thread(ask, *arguments)
        except (ReadError, RegistryAwayError) as error:
            _log.warning("no answer, asking again", reason=str(error), seconds=wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


async def if_possible(tell: Callable[..., None], *arguments: Any) -> bool:
    """Tell in a thread; a failure is logged and left for the next time."""
    try:
        await asyncio.to_thread(tell, *arguments)
    except ReadError as error:
        _log.warning("progress is not saved, the next time will do", reason=str(error))
        return False
    return True
