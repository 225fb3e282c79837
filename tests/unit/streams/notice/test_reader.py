import asyncio

import pytest

from streams.notice.reader import is_told


def test_who_is_ended_as_something_is_told_ends() -> None:
    async def scenario() -> None:
        mark = asyncio.Event()
        waiting = asyncio.create_task(is_told(mark, 60))
        await asyncio.sleep(0)
        mark.set()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scenario())


def test_it_says_whether_anything_was_told_in_time() -> None:
    async def scenario() -> tuple[bool, bool]:
        mark = asyncio.Event()
        before = await is_told(mark, 0)
        mark.set()
        return before, await is_told(mark, 60)

    assert asyncio.run(scenario()) == (False, True)
