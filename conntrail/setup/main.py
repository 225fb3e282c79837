"""Sets up what Conntrail needs in Kafka, the schema registry, Elasticsearch and Kibana: asks, plans, does."""

from conntrail.errors import CommandError
from conntrail.setup.change import Change
from conntrail.setup.kibana.bundle import saved_objects
from conntrail.setup.kibana.reader import read_source
from conntrail.setup.kibana.remote.writer import import_objects
from conntrail.setup.template.plan import ObjectName, plan_objects, wanted_objects
from conntrail.setup.template.reader import ClusterReader
from conntrail.setup.template.writer import write_objects
from conntrail.setup.topic.plan import plan_topics
from conntrail.setup.topic.reader import read_topics
from conntrail.setup.topic.writer import write_topics
from runtime.settings import ElasticsearchSettings, IndexSettings, KafkaSettings, KibanaSettings, Settings
from schemas.errors import RegistryError
from schemas.registry.message import subject_of
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.topic import TOPICS, Topic


def set_up(settings: Settings, *, is_dry: bool) -> list[Change]:
    """Create and update topics, schemas, index templates and Kibana's objects; return what was, or would be, done.

    Raises CommandError.
    """
    return [
        *_set_up_kafka(settings.kafka, is_dry),
        *_set_up_registry(settings, is_dry),
        *_set_up_elasticsearch(settings.elasticsearch, settings.index, is_dry),
        *(set_up_kibana(settings.kibana, is_dry=is_dry) if settings.kibana.url else []),
    ]


def set_up_kibana(settings: KibanaSettings, *, is_dry: bool) -> list[Change]:
    """Import data views, searches and dashboards; return what was, or would be, done. Raises CommandError."""
    return import_objects(settings, saved_objects(read_source()), is_dry=is_dry)


def _set_up_kafka(settings: KafkaSettings, is_dry: bool) -> tuple[Change, ...]:
    names = [topic.full_name(settings.topic_prefix) for topic in TOPICS]
    existing = read_topics(settings, names)
    plan = plan_topics(TOPICS, existing, settings.topic_prefix, settings.partitions, settings.replication)
    if not is_dry:
        write_topics(settings, plan)
    return plan.changes


def _set_up_registry(settings: Settings, is_dry: bool) -> list[Change]:
    """So that every other process needs the right to read schemas only."""
    reader = RegistryReader(settings.schema_registry)
    if not reader.is_set:
        return []
    writer, prefix = RegistryWriter(reader), settings.kafka.topic_prefix

    def change(topic: Topic) -> Change:
        subject = subject_of(topic.full_name(prefix))
        if writer.is_registered(topic, prefix):
            return Change("keep", "schema", subject)
        if not is_dry:
            writer.codec(topic, prefix)
        return Change("create", "schema", subject)

    try:
        return [change(topic) for topic in TOPICS if topic.framing == "single"]
    except RegistryError as error:
        raise CommandError(str(error)) from error


def _set_up_elasticsearch(settings: ElasticsearchSettings, index: IndexSettings, is_dry: bool) -> list[Change]:
    if not settings.hosts:
        return [Change("skip", "index template", "all", "CONNTRAIL_ELASTICSEARCH__HOSTS is empty")]
    reader = ClusterReader(settings)
    try:
        wanted = wanted_objects(reader.features(index.logsdb), index)
        changes = plan_objects(wanted, reader.objects(wanted))
    finally:
        reader.close()
    if not is_dry:
        due = {(change.kind, change.name) for change in changes if change.act in ("create", "update")}
        write_objects(settings, {name: body for name, body in wanted.items() if _key(name) in due})
    return changes


def _key(name: ObjectName) -> tuple[str, str]:
    return name.kind, name.name
