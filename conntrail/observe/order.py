"""Documents that come in any order, put in order of time in bounded memory; what there is no room for is told."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from conntrail.observe.newest import MOST, Newest

Document = dict[str, Any]


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
        say(too_many(most, kept.latest) if limit is None else more(limit, is_from_oldest))
    return kept.documents()


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
