"""Brings in the past: from Elasticsearch, or from what Kafka still keeps; and says why there is nothing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
from typing import Any, Final

from conntrail.completion.names import unknown_names
from conntrail.completion.reader import read_keys
from conntrail.errors import CommandError
from conntrail.observe.look import Look
from conntrail.observe.newest import pack, stamp, unpack
from conntrail.observe.order import last_words, last_words_in_order, more
from conntrail.observe.reader import DocumentIndex, DocumentTopics
from runtime.settings import Settings
from streams.index.document import Document as Told

Document = dict[str, Any]
Say = Callable[[str], None]
_BEHIND_MS: Final = 30_000
"""How far Elasticsearch is behind Kafka: its refresh every 5 s, and what a worker gathers to send at once."""


@dataclass(frozen=True, slots=True)
class Past:
    """Documents in order of time, and where they are from: elasticsearch or kafka."""

    source: str
    documents: Iterator[Document]


def read_past(look: Look, settings: Settings, topics: DocumentTopics, say: Say) -> Past:
    """What is asked for of the past. Raises CommandError when it cannot be read, also while the documents come.

    Which source answers is known when this returns; what fails later, fails.
    """
    found = _by_elasticsearch(look, settings, say)
    if found is None:
        return Past("kafka", _kept_by_kafka(look, settings, topics, say))
    return Past("elasticsearch", (told.body for told in found if told.body is not None))


def read_up_to(look: Look, settings: Settings, topics: DocumentTopics, say: Say, now_ms: int) -> Iterator[Document]:
    """The last of the past, before what Kafka gives from now on: what Elasticsearch does not show yet is among them."""
    say = cache(say)  # both parts may say that there were more
    found = _by_elasticsearch(look, settings, say)
    if found is None:
        return _kept_by_kafka(look, settings, topics, say)
    asked = [found]

    def read() -> Iterator[Told]:
        kept = asked.pop() if asked else _kept_by_elasticsearch(look, settings, say)
        return chain(kept, topics.told(now_ms - _BEHIND_MS, follow=False))

    return last_words_in_order(read, look.holds, look.limit, look.is_from_oldest, say)


def _by_elasticsearch(look: Look, settings: Settings, say: Say) -> Iterator[Told] | None:
    """None when Kafka is to be read instead."""
    if look.source == "elasticsearch" and not settings.elasticsearch.hosts:
        raise CommandError("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: set it, or ask --source kafka")
    if look.source != "kafka" and settings.elasticsearch.hosts:
        try:
            return _kept_by_elasticsearch(look, settings, say)
        except CommandError as error:
            if look.source == "elasticsearch":
                raise
            say(f"{error}: showing what Kafka still keeps")
    return None


def _kept_by_elasticsearch(look: Look, settings: Settings, say: Say) -> Iterator[Told]:
    index = DocumentIndex(settings.elasticsearch, look.datasets)
    found = _asked(look, index, say)
    begun = list(islice(found, 1))
    if not begun:
        latest = "".join(map(stamp, index.latest([], None, None, 1)))
        _explain_nothing(look, settings, say, ("Elasticsearch", latest))
    return chain(begun, found)


def _asked(look: Look, index: DocumentIndex, say: Say) -> Iterator[Told]:
    """In order of time; the last come from the newest on, and are turned round."""
    asked = (look.conditions, look.span.since_ms, look.span.until_ms)
    if look.limit is None or look.is_from_oldest:
        found = index.told(*asked)
        yield from islice(found, look.limit)
        if look.limit is not None and any(True for _ in found):
            say(more(look.limit, look.is_from_oldest))
        return
    latest = islice(index.told(*asked, "desc", look.limit + 1), look.limit + 1)
    newest = [(replace(told, body=None), pack(told.body or {})) for told in latest]
    if len(newest) > look.limit:
        say(more(look.limit, look.is_from_oldest))
    yield from (replace(told, body=unpack(packed)) for told, packed in reversed(newest[: look.limit]))


def _kept_by_kafka(look: Look, settings: Settings, topics: DocumentTopics, say: Say) -> Iterator[Document]:
    read = _Read(lambda: topics.told(look.span.since_ms or 0, follow=False))
    if look.is_sum:
        found = last_words(read(), look.holds)
    else:
        found = last_words_in_order(read, look.holds, look.limit, look.is_from_oldest, say)
    begun = list(islice(found, 1))
    if not begun:
        _explain_nothing(look, settings, say, ("Kafka", read.latest))
    return chain(begun, found)


class _Read:
    """What is read, and the time of the newest document."""

    def __init__(self, read: Callable[[], Iterable[Told]]) -> None:
        self._read = read
        self.latest = ""

    def __call__(self) -> Iterator[Told]:
        for told in self._read():
            if told.body is not None:
                self.latest = max(self.latest, stamp(told.body))
            yield told


def _explain_nothing(look: Look, settings: Settings, say: Say, newest: tuple[str, str]) -> None:
    """Say why: nothing fits, or nothing comes. ``newest``: where, and of when, the newest document is."""
    noun = " or ".join(view.nouns[0] for view in look.views)
    where, latest = newest
    if latest:
        say(f"no {noun} fits; the newest in {where} is of {latest}: widen the filters or --since")
        for line in unknown_names(look.values, read_keys(settings.kafka)):
            say(line)
    else:
        say(f"{where} has no {noun} to ask for: do agents and a worker run, with the same settings?")
