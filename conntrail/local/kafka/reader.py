"""Asks a Kafka broker whether it serves."""

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_PATIENCE_SECONDS = 2.0


class KafkaProbe:
    """Asks one broker, again and again, through one client: each client makes threads of its own."""

    def __init__(self, bootstrap_servers: str) -> None:
        # log_level 0: a broker that is not there yet is no news.
        self._client = AdminClient(
            {"bootstrap.servers": bootstrap_servers, "log_level": 0, "reconnect.backoff.max.ms": 200}
        )

    def answers(self) -> bool:
        """Whether it gives its metadata now."""
        try:
            return bool(self._client.list_topics(timeout=_PATIENCE_SECONDS).brokers)
        except KafkaException:
            return False
