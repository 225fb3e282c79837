"""What requests ask for: queries taken apart, with every bound checked."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from streams.notice.book import AlertBook, Word
from streams.notice.position import PositionError, parse_position
from streams.notice.selection import Selection, SelectionError, parse_selection
from streams.subscription.subscription import STARTS, Start, Subscription

MAXIMUM_LIMIT: Final = 1_000
_LIMIT: Final = 100
Pairs = Iterable[tuple[str, str]]


class RequestError(ValueError):
    """A request cannot be understood; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is asked for."""

    selection: Selection
    limit: int


def parse_listing(pairs: Pairs) -> Listing:
    """Of a query. Raises RequestError."""
    own, rest = _apart(pairs, ("limit",))
    return Listing(_selection(rest), _limit(own.get("limit", str(_LIMIT))))


def parse_subscription(pairs: Pairs, last_event_id: str, book: AlertBook) -> Subscription:
    """Of a query, and of the header by which browsers come again, which wins. Raises RequestError."""
    own, rest = _apart(pairs, ("from", "position"))
    given = last_event_id or own.get("position", "")
    try:
        position = parse_position(given) if given else None
    except PositionError as error:
        raise RequestError(str(error)) from error
    return Subscription(book, _selection(rest), _start(own.get("from", "now")), position)


def listed(book: AlertBook, listing: Listing) -> tuple[list[Word], bool]:
    """Alerts that are asked for, latest first, and whether there are more."""
    found: list[Word] = []
    for word in book.alerts():
        if listing.selection.holds(word.alert):
            if len(found) == listing.limit:
                return found, True
            found.append(word)
    return found, False


def parse_wish(body: bytes) -> Mapping[str, Any]:
    """A JSON object. Raises RequestError."""
    try:
        wish = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError("the body is no JSON") from error
    if not isinstance(wish, dict):
        raise RequestError("the body is no JSON object")
    return wish


def _apart(pairs: Pairs, names: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    own: dict[str, str] = {}
    rest = []
    for name, value in pairs:
        if name in names:
            own[name] = value
        else:
            rest.append((name, value))
    return own, rest


def _selection(pairs: Pairs) -> Selection:
    try:
        return parse_selection(pairs)
    except SelectionError as error:
        raise RequestError(str(error)) from error


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAXIMUM_LIMIT))):
        raise RequestError(f"limit: expected a number up to {MAXIMUM_LIMIT}")
    if not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise RequestError(f"limit: expected a number from 1 to {MAXIMUM_LIMIT}")
    return int(text)


def _start(text: str) -> Start:
    for start in STARTS:
        if text == start:
            return start
    raise RequestError(f"from: expected {', '.join(STARTS)}")
