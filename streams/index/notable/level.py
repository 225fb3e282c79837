"""Which flows become documents where only notable ones do, and why one did. Knows nothing of how pairs are kept."""

from dataclasses import replace
from typing import Final

from streams.index.document import Document, Record
from streams.index.notable.book import EdgeBook, edge_of

NOTABLE: Final = "notable"


class Level:
    """Holds flows against what has met before."""

    def __init__(self, book: EdgeBook) -> None:
        self._book = book
        self._left_out = 0

    def flow(self, record: Record, document: Document) -> Document:
        """The document with why it is there; without a body when it is not to be.

        Its span stays: of a flow that was notable in an earlier revision nothing may be left.
        """
        if document.body is None:
            return document
        reasons = self._reasons(record)
        if not reasons:
            self._left_out += 1
            return replace(document, body=None)
        return _marked(document, {"level": NOTABLE, "notable": reasons})

    def take_left_out(self) -> int:
        """How many flows were left out since the last call."""
        left_out, self._left_out = self._left_out, 0
        return left_out

    def window(self, document: Document) -> Document:
        """All windows are indexed; they say that not all of their flows are."""
        return _marked(document, {"level": NOTABLE})

    def _reasons(self, record: Record) -> list[str]:
        action, policy = record["event"]["action"], record["policy"]
        reasons = [action] if action in ("denied", "failed") else []
        if policy and policy["drift"]:
            reasons.append("drift")
        if record["network"]["direction"] != "internal":
            reasons.append("outside")
        elif action == "allowed" and self._book.is_new(edge_of(record), record["timestamp_ns"]):
            reasons.append("new_edge")
        return reasons


def _marked(document: Document, marks: Record) -> Document:
    if document.body is None:
        return document
    return replace(document, body={**document.body, "conntrail": {**document.body["conntrail"], **marks}})
