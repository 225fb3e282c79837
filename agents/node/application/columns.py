"""Lays rows out as the columns of L7Exchange, schemas/avro/l7_exchange.avsc."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.node.application.exchange import Ends, Exchange
from agents.node.application.row import Row
from agents.node.payload.packet import End
from agents.node.report.address import render_addresses
from agents.node.report.columns import TUPLES
from agents.node.report.key import flow_keys
from agents.publish.column import Column, ListColumn, LongColumn, TextColumn


def exchange_columns(rows: Sequence[Row]) -> dict[str, Column]:
    """One row each, in their order."""
    return {
        "flow_key": LongColumn(connection_keys([row.ends for row in rows])),
        **_end_columns(rows),
        **_texts(rows),
        "status": _longs(row.exchange.status for row in rows),
        "tls_alpn": _text_lists([row.exchange.offer.protocols for row in rows]),
        "count": _longs(row.count for row in rows),
        "latency_us": _long_lists([row.latencies_us for row in rows]),
        "timed": _longs(row.timed for row in rows),
        "latency_sum_us": _longs(row.latency_sum_us for row in rows),
        "latency_max_us": _longs(max(row.latency_max_us, 0) for row in rows),
        "first_seen_at_ns": _longs(row.first_seen_at_ns for row in rows),
        "last_seen_at_ns": _longs(row.last_seen_at_ns for row in rows),
    }


def connection_keys(ends: Sequence[Ends]) -> npt.NDArray[np.int64]:
    """The flow key of each connection, as its RawFlow has it."""
    reports = np.zeros(len(ends), np.dtype(TUPLES))
    reports["protocol"] = [one.protocol for one in ends]
    reports["zone"] = [one.zone for one in ends]
    for name, side in (("reply_source", _server), ("reply_destination", _answered)):
        reports[f"{name}_high"] = np.array([side(one).high for one in ends], np.uint64)
        reports[f"{name}_low"] = np.array([side(one).low for one in ends], np.uint64)
        reports[f"{name}_port"] = [side(one).port for one in ends]
    return flow_keys(reports)


def _server(ends: Ends) -> End:
    return ends.server


def _answered(ends: Ends) -> End:
    return ends.answered


def _end_columns(rows: Sequence[Row]) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for name in ("client", "server", "dialled"):
        ends: list[End] = [getattr(row.ends, name) for row in rows]
        high = np.array([end.high for end in ends], np.uint64)
        low = np.array([end.low for end in ends], np.uint64)
        columns[f"{name}_address"] = TextColumn(*render_addresses(high, low))
        columns[f"{name}_port"] = _longs(end.port for end in ends)
    return columns


def _texts(rows: Sequence[Row]) -> dict[str, Column]:
    def shared(pick: Callable[[Exchange], str]) -> TextColumn:
        return _indexed([pick(row.exchange) for row in rows])

    return {
        "protocol": shared(lambda exchange: exchange.protocol),
        "method": shared(lambda exchange: exchange.head.method),
        "host": shared(lambda exchange: exchange.head.host),
        "path": shared(lambda exchange: exchange.head.path),
        "tls_version": shared(lambda exchange: exchange.offer.version),
        "tls_ja4": shared(lambda exchange: exchange.offer.ja4),
        "user_agent": _indexed([row.user_agent for row in rows]),
        "request_id": _indexed([row.request_id for row in rows]),
        "trace_parent": _indexed([row.trace_parent for row in rows]),
        "http_version": _indexed([row.version for row in rows]),
    }


def _indexed(values: Sequence[str]) -> TextColumn:
    places: dict[str, int] = {}
    indices = [places.setdefault(value, len(places)) for value in values]
    return TextColumn(list(places), np.array(indices, np.intp))


def _longs(values: Any) -> LongColumn:
    return LongColumn(np.array(list(values), np.int64))


def _text_lists(lists: Sequence[Sequence[str]]) -> ListColumn:
    return ListColumn(_indexed(list(chain.from_iterable(lists))), _counts(lists))


def _long_lists(lists: Sequence[Sequence[int]]) -> ListColumn:
    return ListColumn(_longs(chain.from_iterable(lists)), _counts(lists))


def _counts(lists: Sequence[Sequence[Any]]) -> npt.NDArray[np.intp]:
    return np.array([len(items) for items in lists], np.intp)
