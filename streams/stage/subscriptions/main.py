"""The subscriptions stage: the topic alerts to whoever asks by HTTP, and silences back."""

from schemas.topic import SILENCES
from streams.stage.main import Built, Process
from streams.subscription.counters import SubscriptionCounters
from streams.subscription.processor import SubscriptionService
from streams.subscription.server import ApiServer, Parts
from streams.subscription.writer import SilenceWriter

_STAGE = "subscriptions"


def build(process: Process) -> Built:
    """Everything of it, not started."""
    feed = process.need_notices()
    parts = Parts(
        cluster=process.settings.cluster,
        settings=process.settings.api,
        notices=feed.notices,
        writer=SilenceWriter(process.writer(_STAGE, (SILENCES,))),
        counters=SubscriptionCounters(process.registry),
    )
    service = SubscriptionService(feed, ApiServer(parts))
    return Built(service, service)
