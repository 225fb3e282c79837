"""Values that every message of the raw topics keeps to: beyond, what names, adds and encodes rows would fail on one.

A message is refused as a whole, since who sends one impossible value cannot be believed about the others.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
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
_ITEMS: Final = 64
_TEXT_BYTES: Final = 8192
"""Twice the longest path (PATH_MAX). All texts of a row together stay below the largest message of a result topic,
whose refusal would stop the stage."""
_ITEM_BYTES: Final = 2048
"""A name has at most 255 bytes (RFC 1035, 2.3.4), four times as many characters when all are escaped."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one kind of rows keeps to."""

    largest: Mapping[str, int]
    """Of each number, none of which is negative."""
    addresses: tuple[str, ...]
    lists: tuple[str, ...] = ()
    """Of texts or of counters."""


_ENDS: Final = ("original_source", "original_destination", "reply_source", "reply_destination")
_EXCHANGE: Final = {
    "server_port": _PORT, "dialled_port": _PORT,
    **dict.fromkeys(("count", "timed", "latency_sum_us", "latency_max_us"), _LARGEST_COUNTER),
    **dict.fromkeys(("first_seen_at_ns", "last_seen_at_ns"), _LATEST_NS),
}  # fmt: skip
_EXCHANGE_ENDS: Final = ("client_address", "server_address", "dialled_address")
BOUNDS: Final = {
    "io.conntrail.RawFlow": Bounds(
        {
            "protocol": _BYTE, "zone": _PORT, "icmp_type": _BYTE, "icmp_code": _BYTE, "icmp_id": _PORT,
            **{f"{end}_port": _PORT for end in _ENDS},
            **dict.fromkeys(("original_packets", "original_bytes", "reply_packets", "reply_bytes"), _LARGEST_COUNTER),
            **dict.fromkeys(("started_at_ns", "seen_at_ns", "ended_at_ns"), _LATEST_NS),
            "attempts": 2**31 - 1, "begun": 2**31 - 1, "tcp_retransmits": _LARGEST_COUNTER,
        },
        tuple(f"{end}_address" for end in _ENDS),
        ("destination_names",),
    ),
    "io.conntrail.DnsExchange": Bounds(
        {
            **_EXCHANGE, "protocol": _BYTE,
            "time_to_live_seconds": _LARGEST_COUNTER, "truncated": _LARGEST_COUNTER,
        },
        _EXCHANGE_ENDS,
        ("latency_us", "answers"),
    ),
    "io.conntrail.L7Exchange": Bounds(
        {**_EXCHANGE, "client_port": _PORT, "status": _PORT},
        _EXCHANGE_ENDS,
        ("latency_us", "tls_alpn"),
    ),
}  # fmt: skip
"""By the name of the schema."""


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


def check_bounds(rows: pl.DataFrame, bounds: Bounds) -> None:
    """Raise DecodeError, naming column and value, when a row is impossible."""
    for name, largest in bounds.largest.items():
        _check_number(name, rows.get_column(name), largest)
    for name in bounds.lists:
        _check_list(name, rows.get_column(name))
    for column in rows:
        if column.dtype == pl.String and column.name not in bounds.addresses:
            _check_text(column.name, column, _TEXT_BYTES)
    _check_addresses(rows, bounds.addresses)


def _check_addresses(rows: pl.DataFrame, names: tuple[str, ...]) -> None:
    addresses = pl.concat([rows.get_column(name).rename("address") for name in names])
    if all(map(_is_address, addresses.unique().to_list())):
        return
    for name in names:
        for address in rows.get_column(name).unique().to_list():
            if not _is_address(address):
                raise DecodeError(f"{name} {str(address)[:64]!r} is no address")


def _check_number(name: str, column: pl.Series, largest: int) -> None:
    low, high = column.min(), column.max()
    if isinstance(low, int) and isinstance(high, int) and (low < 0 or high > largest):
        raise DecodeError(f"{name} {low if low < 0 else high} is not within 0 and {largest}")


def _check_text(name: str, column: pl.Series, most: int) -> None:
    longest = column.str.len_bytes().max()
    if isinstance(longest, int) and longest > most:
        raise DecodeError(f"{name} of {longest} bytes is longer than {most}")


def _check_list(name: str, column: pl.Series) -> None:
    lengths = column.list.len()
    longest = lengths.max()
    if not isinstance(longest, int) or not longest:
        return
    if longest > _ITEMS:
        raise DecodeError(f"{name} of {longest} items is longer than {_ITEMS}")
    items = column.filter(lengths > 0).list.explode()
    if items.null_count():
        raise DecodeError(f"{name} holds a null")
    if items.dtype.is_integer():
        _check_number(name, items, _LARGEST_COUNTER)
    else:
        _check_text(name, items, _ITEM_BYTES)


@lru_cache(maxsize=1 << 16)
def _is_address(text: str) -> bool:
    """Without a scope, which is of no use on another node."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
