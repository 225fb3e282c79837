"""Registers our schemas, so that whoever reads our topics by a registry's ids finds them."""

from typing import Final

import structlog

from schemas.registry.message import lookup, parse_id, registration, subject_of
from schemas.registry.reader import RegistryReader
from schemas.schema import schema_text
from schemas.single_object import SingleObjectCodec, codec_of
from schemas.topic import Topic

_PATIENCE_SECONDS: Final = 30.0
_log = structlog.get_logger()


class RegistryWriter:
    """Gives codecs that encode as the settings ask. Blocks while the registry is away, for half a minute at most."""

    def __init__(self, registry: RegistryReader) -> None:
        self._registry = registry
        self._ids: dict[str, int] = {}

    def codec(self, topic: Topic, prefix: str) -> SingleObjectCodec:
        """Codec of a topic's values; with a registry their schema is registered first, once a process.

        Raises RegistryError when the registry refuses or does not answer.
        """
        if not self._registry.is_set:
            return codec_of(topic.schema)
        subject = subject_of(topic.full_name(prefix))
        if subject not in self._ids:
            self._ids[subject] = self._register(subject, schema_text(topic.schema))
        return codec_of(topic.schema, self._ids[subject])

    def is_registered(self, topic: Topic, prefix: str) -> bool:
        """Whether the registry knows our schema of a topic. Raises RegistryError when it does not say."""
        return self._find(subject_of(topic.full_name(prefix)), schema_text(topic.schema)) is not None

    def _register(self, subject: str, text: str) -> int:
        # Looking first lets processes run with the right to read alone, once somebody has registered.
        known = self._find(subject, text)
        if known is not None:
            return known
        answer = self._registry.ask(registration(subject, text), _PATIENCE_SECONDS)
        registry_id = parse_id(answer, subject)
        _log.info("schema registered", subject=subject, id=registry_id)
        return registry_id

    def _find(self, subject: str, text: str) -> int | None:
        """The schema's id; None when it is not registered."""
        answer = self._registry.ask(lookup(subject, text), _PATIENCE_SECONDS)
        return None if answer.is_missing else parse_id(answer, subject)
