"""Values that every message of flows.raw keeps to: beyond, what names, adds and encodes rows would fail on one of them.

A message is refused as a whole, since who sends one impossible value cannot be believed about the others.
"""

import ipaddress
from functools import lru_cache
from typing import Final

import polars as pl

from schemas.batch import Batch
from schemas.errors import DecodeError

_LARGEST_COUNTER: Final = 2**50
"""More than a link of a terabit carries in the longest interval; sums of thousands still fit a long."""
_LATEST_NS: Final = 2**62
_PORT: Final = 2**16 - 1
_BYTE: Final = 2**8 - 1
_ENDS: Final = ("original_source", "original_destination", "reply_source", "reply_destination")
_LARGEST: Final = {
    "protocol": _BYTE, "zone": _PORT, "icmp_type": _BYTE, "icmp_code": _BYTE, "icmp_id": _PORT,
    **{f"{end}_port": _PORT for end in _ENDS},
    **dict.fromkeys(("original_packets", "original_bytes", "reply_packets", "reply_bytes"), _LARGEST_COUNTER),
    **dict.fromkeys(("started_at_ns", "seen_at_ns", "ended_at_ns"), _LATEST_NS),
    "attempts": 2**31 - 1, "tcp_retransmits": _LARGEST_COUNTER,
}  # fmt: skip
"""None of these is negative."""


_OLDEST_NS: Final = 7 * 24 * 3600 * 10**9
"""Older than anything that an agent keeps while Kafka is away. For each part of a window that is long final the log
is read again from there: a node that woke up in 1970 would keep workers busy with nothing else."""
_EARLIEST_NS: Final = 3600 * 10**9
"""A window of the future is not final before its time, and nothing behind it is: no longer than flows.raw is kept."""


def check_time(batch: Batch, now_ns: int) -> None:
    """Raise DecodeError when an interval is of an age that only a wrong clock explains. ``now_ns``: Unix time."""
    if not now_ns - _OLDEST_NS <= batch.interval_start_ns < batch.interval_end_ns <= now_ns + _EARLIEST_NS:
        hours = (batch.interval_start_ns - now_ns) / (3600 * 10**9)
        raise DecodeError(f"an interval that began {hours:+.1f} h from now: is the clock of {batch.node} right?")


def check_bounds(rows: pl.DataFrame) -> None:
    """Raise DecodeError, naming column and value, when a row of RawFlow is impossible."""
    for name, largest in _LARGEST.items():
        column = rows.get_column(name)
        low, high = column.min(), column.max()
        if isinstance(low, int) and isinstance(high, int) and (low < 0 or high > largest):
            raise DecodeError(f"{name} {low if low < 0 else high} is not within 0 and {largest}")
    addresses = pl.concat([rows.get_column(f"{end}_address").rename("address") for end in _ENDS])
    if all(map(_is_address, addresses.unique().to_list())):
        return
    for end in _ENDS:
        for address in rows.get_column(f"{end}_address").unique().to_list():
            if not _is_address(address):
                raise DecodeError(f"{end}_address {str(address)[:64]!r} is no address")


@lru_cache(maxsize=1 << 16)
def _is_address(text: str) -> bool:
    """Without a scope, which is of no use on another node."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
