"""Sets up what Conntrail needs in Kafka and Elasticsearch: asks what is there, plans, does."""

from conntrail.setup.change import Change
from conntrail.setup.template.plan import ObjectName, plan_objects, wanted_objects
from conntrail.setup.template.reader import ClusterReader
from conntrail.setup.template.writer import write_objects
from conntrail.setup.topic.plan import plan_topics
from conntrail.setup.topic.reader import read_topics
from conntrail.setup.topic.writer import write_topics
from runtime.settings import ElasticsearchSettings, KafkaSettings, Settings
from schemas.topic import TOPICS


def set_up(settings: Settings, *, is_dry: bool) -> list[Change]:
    """Create and update topics and index templates; return what was, or would be, done. Raises CommandError."""
    return [*_set_up_kafka(settings.kafka, is_dry), *_set_up_elasticsearch(settings.elasticsearch, is_dry)]


def _set_up_kafka(settings: KafkaSettings, is_dry: bool) -> tuple[Change, ...]:
    names = [topic.full_name(settings.topic_prefix) for topic in TOPICS]
    existing = read_topics(settings, names)
    plan = plan_topics(TOPICS, existing, settings.topic_prefix, settings.partitions, settings.replication)
    if not is_dry:
        write_topics(settings, plan)
    return plan.changes


def _set_up_elasticsearch(settings: ElasticsearchSettings, is_dry: bool) -> list[Change]:
    if not settings.hosts:
        return [Change("skip", "index template", "all", "CONNTRAIL_ELASTICSEARCH__HOSTS is empty")]
    reader = ClusterReader(settings)
    try:
        wanted = wanted_objects(reader.features())
        changes = plan_objects(wanted, reader.objects(wanted))
    finally:
        reader.close()
    if not is_dry:
        due = {(change.kind, change.name) for change in changes if change.act in ("create", "update")}
        write_objects(settings, {name: body for name, body in wanted.items() if _key(name) in due})
    return changes


def _key(name: ObjectName) -> tuple[str, str]:
    return name.kind, name.name
