"""Writes silences to their topic, and says whether Kafka has them in time."""

import asyncio
from typing import Any, Final

from schemas.topic import SILENCES
from streams.errors import WriteError
from streams.result.writer import ResultWriter

_PATIENCE_SECONDS: Final = 10.0


class SilenceWriter:
    """Holds the stage's writer."""

    def __init__(self, writer: ResultWriter) -> None:
        self._writer = writer

    async def write(self, silence: dict[str, Any]) -> None:
        """Return when Kafka has it. Raises WriteError when it does not take it in time; it may still come."""
        await self._writer.send(SILENCES, silence["id"], silence)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._writer.delivered()
        except TimeoutError as error:
            raise WriteError(
                "Kafka did not take the silence in time; look whether it is listed, else repeat"
            ) from error
