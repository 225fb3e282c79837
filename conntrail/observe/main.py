"""What ``conntrail observe`` does: reads the past, follows what comes, prints it, and tells how complete it is."""

import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import typer

from conntrail.observe.look import Look
from conntrail.observe.manner import Manner
from conntrail.observe.newest import once, stamp
from conntrail.observe.order import in_order
from conntrail.observe.past.reader import read_past, read_up_to
from conntrail.observe.reader import DocumentTopics
from conntrail.observe.replay.reader import read_documents
from conntrail.observe.sight.reader import sight_lines
from conntrail.observe.span import Span
from conntrail.observe.view.table import view_of
from conntrail.observe.writer import Printer
from runtime.reader import read_settings
from runtime.settings import Settings

Document = dict[str, Any]
_say = partial(typer.echo, err=True)


def show(look: Look, manner: Manner) -> None:
    """Print what is asked for. Raises CommandError when neither Elasticsearch nor Kafka can be read."""
    settings = read_settings()
    topics = DocumentTopics(settings.kafka, settings.schema_registry, look.topics, _say)
    printer = Printer(look.views, manner, look.does_follow)
    if look.does_follow:
        printer.print(_followed(look, settings, topics))
        return
    past = read_past(look, settings, topics, _say)
    seen = _Seen(past.documents)
    printer.print(iter(seen))
    for line in sight_lines(settings, look, past.source, _shown(look, seen), manner.zone):
        _say(line)


class _Seen:
    """Documents on their way, with the times of the oldest and the newest."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = documents
        self.oldest = self.newest = ""
        self.count = 0

    def __iter__(self) -> Iterator[Document]:
        for document in self._documents:
            at = stamp(document)
            self.count += 1
            self.oldest, self.newest = min(self.oldest or at, at), max(self.newest, at)
            yield document


def _shown(look: Look, seen: _Seen) -> Span:
    """The span that was asked for, as far as it is shown where only some of it was to be; its end is now at most."""
    since, until, now_ms = look.span.since_ms, look.span.until_ms, int(time.time() * 1000)
    oldest, newest = Span.at_ms(seen.oldest), Span.at_ms(seen.newest)
    if look.limit is not None and seen.count >= look.limit:
        since, until = (since, newest) if look.is_from_oldest else (oldest, until)
    return Span(oldest if since is None else since, now_ms if until is None else min(until, now_ms))


def replay(look: Look, path: str, manner: Manner) -> None:
    """Print what is asked for of a file, in its order, or by time where the first or last are. Raises CommandError."""
    found: Iterator[Document] = (
        each for each in read_documents(path, _say) if view_of(each) in look.views and look.holds(each)
    )
    if look.limit is not None:
        found = in_order(found, look.limit, look.is_from_oldest, _say)
    Printer(look.views, manner, does_follow=False).print(found)


def _followed(look: Look, settings: Settings, topics: DocumentTopics) -> Iterator[Document]:
    """The past first, then what comes."""
    from_ms = look.span.since_ms
    past: Iterator[Document] = iter(())
    if look.limit is not None:
        from_ms = int(time.time() * 1000)
        past = read_up_to(look, settings, topics, _say, from_ms)
    coming = (document for document in topics.documents(from_ms, follow=True) if look.holds(document))
    yield from once(chain(past, coming))
