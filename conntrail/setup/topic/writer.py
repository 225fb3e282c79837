"""Makes topics and gives them partitions."""

from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # type: ignore[attr-defined]  # its stubs lack them

from conntrail.errors import CommandError
from conntrail.setup.topic.plan import TopicPlan
from runtime.broker.reader import find_partitions
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings

_PATIENCE_SECONDS = 30.0


def write_topics(settings: KafkaSettings, plan: TopicPlan) -> None:
    """Do what the plan says; the topics are known when it returns. Raises CommandError when Kafka refuses one."""
    client = AdminClient({**client_configuration(settings, "conntrail-setup"), "log_level": 0})
    fresh = [
        NewTopic(
            name,
            num_partitions=settings.partitions,
            replication_factor=settings.replication,
            config=topic.configuration(),
        )
        for name, topic in plan.created
    ]
    if fresh:
        _wait(client.create_topics(fresh, operation_timeout=_PATIENCE_SECONDS))
        for name, _ in plan.created:
            _await(client, name)
    wider = [NewPartitions(name, settings.partitions) for name in plan.widened]
    if wider:
        _wait(client.create_partitions(wider, operation_timeout=_PATIENCE_SECONDS))


def _await(client: AdminClient, name: str) -> None:
    """Brokers learn of a topic after it is made, and what starts next takes one that they do not know for missing."""
    try:
        find_partitions(client, name)
    except KafkaException as error:
        raise CommandError(f"Kafka does not show the topic {name}: {error.args[0].str()}") from error


def _wait(answers: dict[str, Future[None]]) -> None:
    for name, answer in answers.items():
        try:
            answer.result()
        except KafkaException as error:
            # Another setup at the same moment made it: the next look finds it as it is.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise CommandError(f"Kafka refuses the topic {name}: {error.args[0].str()}") from error
