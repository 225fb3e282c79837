"""The deliveries stage: the topic alerts to the receivers of a file. Without a file it does nothing."""

from schemas.topic import ALERT_DELIVERIES, DEAD_LETTER
from streams.delivery.counters import DeliveryCounters
from streams.delivery.file.reader import ReceiverFile
from streams.delivery.processor import Sending
from streams.delivery.reader import Leadership
from streams.delivery.service.processor import DeliveryService
from streams.delivery.writer import DeliveryTopics
from streams.stage.main import Built, Process

_STAGE = "deliveries"


def build(process: Process) -> Built:
    """Raise SettingsError when the file of receivers is of no use."""
    settings = process.settings
    file = ReceiverFile(settings.alerts.receivers)
    feed = process.need_notices()
    counters = DeliveryCounters(process.registry)
    topics = DeliveryTopics(process.writer(_STAGE, (ALERT_DELIVERIES, DEAD_LETTER)))
    sending = Sending(settings.cluster, feed.notices, topics, counters)
    leadership = Leadership(settings.kafka, process.group(_STAGE), process.identity)
    service = DeliveryService(feed, sending, file, leadership)
    process.follow_notices(ALERT_DELIVERIES, service.take)
    return Built(service, service)
