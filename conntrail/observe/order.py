"""Documents that come in any order, put in order of time in bounded memory; what there is no room for is told.

Of what a topic tells again the last word alone is asked whether it fits, as in Elasticsearch, which holds no other.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from conntrail.observe.last_word import LastWord, Word
from conntrail.observe.newest import MOST, Newest, pack, unpack
from streams.index.document import Document as Told

Document = dict[str, Any]
Fits = Callable[[Document], bool]


def in_order(
    documents: Iterable[Document],
    limit: int | None,
    is_from_oldest: bool,
    say: Callable[[str], None],
    most: int = MOST,
) -> Iterator[Document]:
    """The last (or first) ``limit``; without one all, but at most ``most``, the oldest, so that one can go on."""
    kept = Newest(limit or most, is_from_oldest or limit is None)
    for document in documents:
        kept.add(document)
    if kept.has_more:
        say(_left_out(kept, limit, is_from_oldest, most))
    return kept.documents()


def last_words_in_order(
    read: Callable[[], Iterable[Told]],
    fits: Fits,
    limit: int | None,
    is_from_oldest: bool,
    say: Callable[[str], None],
    *,
    most: int = MOST,
) -> Iterator[Document]:
    """As ``in_order``. Where so much turned out to be outdated that others are missed, they are read once more."""
    words = LastWord()
    for _ in range(2):
        kept = Newest(limit or most, is_from_oldest or limit is None, words)
        for word in _fitting(read(), fits, words):
            kept.put(word)
        kept.drop_outdated()
        if not kept.is_short:
            break
    if kept.has_more:
        say(_left_out(kept, limit, is_from_oldest, most))
    return kept.documents()


def last_words(told: Iterable[Told], fits: Fits, most: int = MOST) -> Iterator[Document]:
    """Each in no order; one that is told again after ``most`` others is there as it was before too."""
    words = LastWord()
    waiting: OrderedDict[str, tuple[Word, bytes]] = OrderedDict()
    for word in _fitting(told, fits, words):
        before = waiting.get(word.name)
        if before is not None and before[0].version > word.version:
            continue
        waiting.pop(word.name, None)
        if word.body is not None:
            waiting[word.name] = replace(word, body=None), pack(word.body)
        if len(waiting) > most:
            yield from _released(waiting, words)
    while waiting:
        yield from _released(waiting, words)


def _fitting(told: Iterable[Told], fits: Fits, words: LastWord) -> Iterator[Word]:
    """Without a body where the last word is none that fits."""
    for each in told:
        word = words.take(each)
        if word is not None:
            yield word if word.body is not None and fits(word.body) else replace(word, body=None)


def _released(waiting: OrderedDict[str, tuple[Word, bytes]], words: LastWord) -> Iterator[Document]:
    """The one that waits longest, unless it is outdated."""
    _, (word, packed) = waiting.popitem(last=False)
    if not words.is_outdated(word.scope, word.version):
        yield unpack(packed)


def _left_out(kept: Newest, limit: int | None, is_from_oldest: bool, most: int) -> str:
    return too_many(most, kept.latest) if limit is None else more(limit, is_from_oldest)


def more(limit: int, is_from_oldest: bool) -> str:
    """What is said when more fit than were asked for."""
    side = "first" if is_from_oldest else "last"
    return f"the {side} {limit} of more: --{side} N shows N, --since and --until those of a span"


def too_many(most: int, latest: str) -> str:
    """What is said when more fit than there is room for; ``latest`` is the time of the last that is shown."""
    return (
        f"INCOMPLETE: more than {most:,} fit, and no more are put in order at once; these are the oldest: narrow the "
        f"filters, go on with --since {latest}, or ask --source elasticsearch, which shows all"
    )
