"""The service that a worker runs: the feed of alerts, and the API that serves it."""

import mode

from streams.notice.processor import NoticeFeed
from streams.subscription.server import ApiServer


class SubscriptionService(mode.Service):
    """Serves as long as the worker runs, and ends it when the feed cannot go on."""

    def __init__(self, feed: NoticeFeed, server: ApiServer) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self.is_assigned = False
        """It listens. Every process reads all of the topics, so there is nothing else to wait for."""
        self._feed = feed
        self._server = server

    async def on_start(self) -> None:
        """Listen, and follow the topics."""
        await self._server.start()
        self.is_assigned = True
        self.add_future(self._follow())

    async def on_stop(self) -> None:
        """Stop listening."""
        await self._server.stop()
        await self._feed.stop()

    async def _follow(self) -> None:
        try:
            await self._feed.run()
        except Exception as error:
            self.failure = error
            raise
