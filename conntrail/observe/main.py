"""What ``conntrail observe`` does: reads the past, follows what comes, and prints it."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import typer

from conntrail.errors import CommandError
from conntrail.observe.condition import AnyCondition, matches
from conntrail.observe.newest import Newest, once, stamp
from conntrail.observe.reader import DocumentIndex, DocumentTopics
from conntrail.observe.span import Span
from conntrail.observe.view.table import VIEWS
from conntrail.observe.view.view import View
from conntrail.observe.writer import print_documents
from runtime.reader import read_settings
from runtime.settings import Settings

Document = dict[str, Any]
_say = partial(typer.echo, err=True)


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked for."""

    types: Sequence[str]
    """Keys of VIEWS."""
    conditions: list[AnyCondition]
    span: Span
    limit: int | None
    does_follow: bool
    source: str
    """auto, elasticsearch or kafka."""

    @property
    def views(self) -> list[View]:
        """Of the types."""
        return [VIEWS[name] for name in self.types]

    def holds(self, document: Document) -> bool:
        """Whether a document is asked for."""
        return self.span.holds(stamp(document)) and matches(self.conditions, document)


def show(look: Look, output: str) -> None:
    """Print what is asked for. Raises CommandError when neither Elasticsearch nor Kafka can be read."""
    settings = read_settings()
    topics = DocumentTopics(settings.kafka, settings.schema_registry, look.views, _say)
    print_documents(_documents(look, settings, topics), look.views, output, look.does_follow)


def _documents(look: Look, settings: Settings, topics: DocumentTopics) -> Iterator[Document]:
    """The past first, then what comes when that is followed."""
    if not look.does_follow:
        yield from _past(look, settings, topics)
        return
    from_ms, past = look.span.since_ms, list[Document]()
    if look.limit is not None:
        from_ms = int(time.time() * 1000)
        past = list(_past(look, settings, topics))
    coming = (document for document in topics.documents(from_ms, follow=True) if look.holds(document))
    yield from once(chain(past, coming))


def _past(look: Look, settings: Settings, topics: DocumentTopics) -> Iterable[Document]:
    if look.source == "elasticsearch" and not settings.elasticsearch.hosts:
        raise CommandError("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: set it, or ask --source kafka")
    if look.source == "kafka" or not settings.elasticsearch.hosts:
        return _kept_by_kafka(look, topics)
    index = DocumentIndex(settings.elasticsearch, look.views)
    try:
        found = index.latest(look.conditions, look.span.since_ms, look.span.until_ms, look.limit)
        return found or _explain_nothing(look, "Elasticsearch", "".join(map(stamp, index.latest([], None, None, 1))))
    except CommandError as error:
        if look.source == "elasticsearch":
            raise
        _say(f"{error}: showing what Kafka still keeps")
    return _kept_by_kafka(look, topics)


def _kept_by_kafka(look: Look, topics: DocumentTopics) -> list[Document]:
    found, latest = Newest(look.limit), ""
    for document in topics.documents(look.span.since_ms or 0, follow=False):
        latest = max(latest, stamp(document))
        if look.holds(document):
            found.add(document)
    return found.documents() or _explain_nothing(look, "Kafka", latest)


def _explain_nothing(look: Look, where: str, latest: str) -> list[Document]:
    """Say why there is nothing to show: nothing fits, or nothing comes. ``latest`` is the newest document's time."""
    noun = " or ".join(view.nouns[0] for view in look.views)
    if latest:
        _say(f"no {noun} fits; the newest in {where} is of {latest}: widen the filters or --since")
    else:
        _say(f"{where} has no {noun} to ask for: do agents and a worker run, with the same settings?")
    return []
