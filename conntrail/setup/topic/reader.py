"""Reads which topics a Kafka cluster has, and how they are configured."""

from collections.abc import Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]  # its stubs lack them

from conntrail.errors import CommandError
from conntrail.setup.topic.plan import ExistingTopic
from runtime.broker.reader import find_topics
from runtime.kafka import BrokerError, client_configuration
from runtime.settings import KafkaSettings

_PATIENCE_SECONDS = 15.0


def read_topics(settings: KafkaSettings, names: Sequence[str]) -> dict[str, ExistingTopic]:
    """Those of the named topics that exist. Raises CommandError when Kafka does not answer."""
    try:
        known = find_topics(settings, "conntrail-setup", _PATIENCE_SECONDS)
        client = AdminClient({**client_configuration(settings, "conntrail-setup"), "log_level": 0})
        present = [name for name in names if name in known]
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in present]
        answers = client.describe_configs(resources, request_timeout=_PATIENCE_SECONDS) if resources else {}
        configurations = {
            resource.name: {entry.name: str(entry.value) for entry in answer.result().values()}
            for resource, answer in answers.items()
        }
    except BrokerError as error:
        raise CommandError(
            f"{error}: start one with conntrail local up, or set CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS"
        ) from error
    except KafkaException as error:
        reason = error.args[0].str()
        raise CommandError(
            f"Kafka at {settings.bootstrap_servers} does not answer ({reason}): "
            "start one with conntrail local up, or set CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS"
        ) from error
    return {
        name: ExistingTopic(
            partitions=len(known[name].partitions),
            replication=len(known[name].partitions[0].replicas),
            configuration=configurations[name],
        )
        for name in present
    }
