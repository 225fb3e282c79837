"""Asks Elasticsearch, as often as it takes until it answers: absences are waited out, refusals end the process."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from elastic_transport import TlsError
from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from runtime.elasticsearch import client_options
from runtime.settings import ElasticsearchSettings
from streams.errors import WriteError
from streams.index.bulk import is_passing
from streams.index.counters import IndexCounters

_REQUEST_SECONDS: Final = 60.0
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 30.0
_log = structlog.get_logger()


class Connection:
    """One worker's client."""

    def __init__(self, settings: ElasticsearchSettings, counters: IndexCounters) -> None:
        """Raise SettingsError for hosts that are no URLs."""
        self._settings = settings
        self._options = client_options(settings)
        self._counters = counters
        self._client: AsyncElasticsearch | None = None

    @property
    def client(self) -> AsyncElasticsearch:
        """Made at the first use: the client belongs to the running loop."""
        if self._client is None:
            self._client = AsyncElasticsearch(**self._options, request_timeout=_REQUEST_SECONDS, max_retries=0)
        return self._client

    async def ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make a call until Elasticsearch answers it. Raises WriteError when it refuses for good."""
        refusals = 0
        while True:
            try:
                return await call()
            except ApiError as error:
                if not is_passing(error.status_code):
                    raise self.failure(error) from error
                refusals = await self.wait(str(error.status_code), refusals)
            except TransportError as error:
                self.require_trust(error)
                refusals = await self.wait(type(error).__name__, refusals)

    async def wait(self, reason: str, refusals: int) -> int:
        """Wait longer each time, with jitter so that workers do not come back as one; returns the next count."""
        self._counters.retries.labels(reason).inc()
        if refusals == 0:
            _log.warning("Elasticsearch does not take documents, waiting", reason=reason)
        seconds = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(refusals, 20))
        await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        return refusals + 1

    def require_trust(self, error: TransportError) -> None:
        """Raise WriteError for a certificate that we do not know: no waiting mends that."""
        if isinstance(error, TlsError):
            hint = "check CONNTRAIL_ELASTICSEARCH__CA_CERTS"
            raise WriteError(
                f"Elasticsearch at {self._settings.hosts} is not trusted ({error.message}): {hint}"
            ) from error

    def failure(self, error: ApiError) -> WriteError:
        """What a refusal for good is told as."""
        hint = "; check CONNTRAIL_ELASTICSEARCH__API_KEY" if error.status_code in (401, 403) else ""
        return WriteError(
            f"Elasticsearch at {self._settings.hosts} refuses ({error.status_code}): {error.message}{hint}"
        )

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.close()
            self._client = None
