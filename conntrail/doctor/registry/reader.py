"""Asks the schema registry which of our schemas it has; none is registered."""

from conntrail.errors import CommandError
from runtime.settings import Settings
from schemas.errors import RegistryError
from schemas.registry.message import lookup, subject_of
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.schema import schema_text
from schemas.topic import TOPICS


def read_registered(settings: Settings) -> dict[str, bool] | None:
    """Whether each subject has our schema; None where no registry is set.

    Raises CommandError when it refuses us or does not answer.
    """
    reader = RegistryReader(settings.schema_registry)
    if not reader.is_set:
        return None
    writer, prefix = RegistryWriter(reader), settings.kafka.topic_prefix
    framed = [topic for topic in TOPICS if topic.framing == "single"]
    try:
        # Without patience: whether anybody answers at all.
        reader.ask(lookup(subject_of(framed[0].full_name(prefix)), schema_text(framed[0].schema)))
        return {subject_of(topic.full_name(prefix)): writer.is_registered(topic, prefix) for topic in framed}
    except RegistryError as error:
        raise CommandError(str(error)) from error
