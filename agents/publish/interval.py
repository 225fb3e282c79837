"""An interval's messages, as the spool keeps them, and how many rows go into one.

Rows of one key always go to the same partition, so that both nodes' reports of a connection meet. A message stays
below the size that Kafka takes by default; what does not fit travels in several parts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import fastavro
import numpy as np
import numpy.typing as npt

from agents.publish.column import Column, ColumnEncoder, LongColumn, encode_long
from schemas.batch import Batch, Coverage, parse_batch
from schemas.container import ContainerEncoder
from schemas.schema import Schema

MESSAGE_BYTES: Final = 900_000
"""Kafka takes 1,048,588 bytes a message by default (max.message.bytes), librdkafka 1,000,000."""
_MESSAGE_ROWS_BYTES: Final = MESSAGE_BYTES - (64 << 10)  # the rest is for the header, schema and losses included
_SYNC_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Facts:
    """What all messages of an interval say alike."""

    cluster: str
    node: str
    boot: str
    sequence: int
    start_ns: int
    end_ns: int
    coverage: Coverage
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an interval."""

    partition: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Interval:
    """All messages of one interval: at least one for each partition, or of a sparse topic for each that has rows."""

    sequence: int
    partitions: int
    is_divided_for_sure: bool
    """False while the topic's number of partitions was a guess: then nothing of it was ever sent."""
    messages: tuple[Message, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all messages."""
        return sum(len(message.value) for message in self.messages)


def partition_of(keys: npt.NDArray[np.int64], partitions: int) -> npt.NDArray[np.int64]:
    """Partition of each key: its unsigned value modulo the number of partitions."""
    return (keys.view(np.uint64) % np.uint64(partitions)).astype(np.int64)


class IntervalEncoder:
    """Divides an interval's rows among partitions and puts them into messages."""

    def __init__(self, schema: Schema, key_field: str, *, is_sparse: bool = False) -> None:
        """``key_field`` holds the 64-bit key of a row, a signed long.

        ``is_sparse``: a partition without rows gets no message, where nobody waits for one.
        """
        self._schema = schema
        self._containers = ContainerEncoder(schema)
        self._columns = ColumnEncoder(schema)
        self._key_field = key_field
        self._is_sparse = is_sparse

    def encode(self, facts: Facts, columns: Mapping[str, Column], partitions: int, *, is_sure: bool) -> Interval:
        """Messages of an interval. Equal input gives equal bytes. Raises SchemaError when a column does not fit."""
        keys = columns[self._key_field]
        assert isinstance(keys, LongColumn)
        return self._divide(facts, keys.values, self._columns.encode(columns), partitions, is_sure=is_sure)

    def divide_again(self, interval: Interval, partitions: int) -> Interval:
        """The same rows under the same identity for another number of partitions.

        Raises ValueError or DecodeError when the interval is none of ours.
        """
        keys: list[int] = []
        rows: list[bytes] = []
        facts: Facts | None = None
        for message in interval.messages:
            reader = fastavro.reader(BytesIO(message.value))
            facts = facts or _facts_of(parse_batch(reader.metadata))
            for row in reader:
                assert isinstance(row, dict)
                keys.append(int(row[self._key_field]))
                rows.append(self._encode_row(row))
        if facts is None:
            raise ValueError("an interval without messages")
        return self._divide(facts, np.array(keys, np.int64), rows, partitions, is_sure=True)

    def _encode_row(self, row: Mapping[str, Any]) -> bytes:
        buffer = BytesIO()
        fastavro.schemaless_writer(buffer, self._schema, row)
        return buffer.getvalue()

    def _divide(
        self, facts: Facts, keys: npt.NDArray[np.int64], rows: list[bytes], partitions: int, *, is_sure: bool
    ) -> Interval:
        places = partition_of(keys, partitions)
        order = np.argsort(places, kind="stable")
        limits = np.searchsorted(places[order], np.arange(partitions + 1))
        messages: list[Message] = []
        for partition in range(partitions):
            own = [rows[index] for index in order[limits[partition] : limits[partition + 1]].tolist()]
            if self._is_sparse and not own and not (partition == 0 and (facts.lost or not rows)):
                continue  # the first partition's message tells what was lost
            shares = _share(own)
            for part, share in enumerate(shares):
                value = self._encode_part(facts, share, (partition, partitions, part, len(shares)))
                messages.append(Message(partition, value))
        return Interval(facts.sequence, partitions, is_sure, tuple(messages))

    def _encode_part(self, facts: Facts, rows: list[bytes], place: tuple[int, int, int, int]) -> bytes:
        partition, partitions, part, parts = place
        batch = Batch(
            cluster=facts.cluster,
            node=facts.node,
            boot=facts.boot,
            sequence=facts.sequence,
            partition=partition,
            partitions=partitions,
            part=part,
            parts=parts,
            interval_start_ns=facts.start_ns,
            interval_end_ns=facts.end_ns,
            coverage=facts.coverage,
            lost=facts.lost,
        )
        identity = f"{facts.node}/{facts.boot}/{facts.sequence}/{partition}/{part}"
        sync_marker = hashlib.sha256(identity.encode()).digest()[:_SYNC_BYTES]
        header = self._containers.encode([], batch.metadata(), sync_marker)
        if not rows:
            return header
        size = sum(map(len, rows))
        return b"".join([header, encode_long(len(rows)), encode_long(size), *rows, sync_marker])


def _share(rows: list[bytes]) -> list[list[bytes]]:
    """Rows in as many messages as they need; an empty one when there are none."""
    shares: list[list[bytes]] = [[]]
    size = 0
    for row in rows:
        if size + len(row) > _MESSAGE_ROWS_BYTES and shares[-1]:
            shares.append([])
            size = 0
        shares[-1].append(row)
        size += len(row)
    return shares


def _facts_of(batch: Batch) -> Facts:
    return Facts(
        batch.cluster,
        batch.node,
        batch.boot,
        batch.sequence,
        batch.interval_start_ns,
        batch.interval_end_ns,
        batch.coverage,
        batch.lost,
    )
