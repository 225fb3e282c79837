"""Waits until something is told, and no longer than it may."""

import asyncio


async def is_told(mark: asyncio.Event, seconds: float) -> bool:
    """Whether it was within the time.

    Whoever is ended meanwhile ends: ``asyncio.wait_for`` of Python 3.11 forgets a cancellation that comes together with
    what it waits for (python/cpython#86296), and a loop around it goes on for ever.
    """
    try:
        async with asyncio.timeout(seconds):
            await mark.wait()
    except TimeoutError:
        return False
    return True
