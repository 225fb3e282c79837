"""Evidence as bits, so that what several reporters know adds up."""

from typing import Final

import numpy as np
import polars as pl

from streams.match.group import Flags, Numbers

_TOLD: Final = ("attempt", "confirmed", "reject", "socket")
"""What reporters tell, sorted."""
_WORDS: Final = (*_TOLD, "unreplied")
_BITS: Final = {word: 1 << place for place, word in enumerate(_WORDS)}
_LISTS: Final = pl.Series(
    [[word for word in _WORDS if bits & _BITS[word]] for bits in range(1 << len(_WORDS))], dtype=pl.List(pl.String)
)


def evidence_bits(evidence: pl.Series) -> pl.Series:
    """Bits of each row's word; a word of another release is none."""
    places = evidence.cast(pl.Enum(_TOLD), strict=False).to_physical()
    return pl.Series([_BITS[word] for word in _TOLD]).gather(places).fill_null(0)


def with_unreplied(bits: Numbers, seen_reply: Flags) -> Numbers:
    """A connection that conntrack confirmed and nobody answered says so."""
    is_unreplied = (bits & _BITS["confirmed"] != 0) & ~seen_reply
    return bits | np.where(is_unreplied, _BITS["unreplied"], 0)


def is_attempt(bits: Numbers) -> Flags:
    """Whether a first packet was seen that was never confirmed."""
    attempted: Flags = bits & (_BITS["attempt"] | _BITS["reject"]) != 0
    return attempted


def is_first_packet(bits: Numbers) -> Flags:
    """Whether a first packet is all that was seen, and nobody answered it with a rejection."""
    alone: Flags = bits == _BITS["attempt"]
    return alone


def is_confirmed(bits: Numbers) -> Flags:
    """Whether conntrack had an entry."""
    confirmed: Flags = bits & _BITS["confirmed"] != 0
    return confirmed


def evidence_lists(bits: Numbers) -> pl.Series:
    """The words, sorted."""
    return _LISTS.gather(pl.Series(bits))
