"""An interval's messages, as the spool keeps them, and how many rows go into one.

Rows of one key always go to the same partition, so that both nodes' reports of a connection meet. A message stays
below the size that Kafka takes by default; what does not fit travels in several parts.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import fastavro
import numpy as np
import numpy.typing as npt

from schemas.batch import Batch, Coverage, parse_batch
from schemas.container import ContainerEncoder

MESSAGE_BYTES: Final = 900_000
"""Kafka takes 1,048,588 bytes a message by default (max.message.bytes), librdkafka 1,000,000."""
_ROWS_A_MESSAGE: Final = 3_000  # about 200 bytes a row: one message in nearly all cases
_SYNC_BYTES: Final = 16

Rows = Sequence[Mapping[str, Any]]


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
    """All messages of one interval, at least one for each partition."""

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
    """Divides an interval's rows among partitions and encodes them."""

    def __init__(self, encoder: ContainerEncoder, key_field: str) -> None:
        """``key_field`` holds the 64-bit key of a row, a signed long."""
        self._encoder = encoder
        self._key_field = key_field

    def encode(
        self, facts: Facts, keys: npt.NDArray[np.int64], rows: Rows, partitions: int, *, is_sure: bool
    ) -> Interval:
        """Messages of an interval; ``keys`` holds the key of each row. Equal input gives equal bytes."""
        order = np.argsort(partition_of(keys, partitions), kind="stable")
        limits = np.searchsorted(partition_of(keys, partitions)[order], np.arange(partitions + 1))
        messages: list[Message] = []
        for partition in range(partitions):
            own = [rows[index] for index in order[limits[partition] : limits[partition + 1]].tolist()]
            messages += self._encode_partition(facts, own, partition, partitions)
        return Interval(facts.sequence, partitions, is_sure, tuple(messages))

    def divide_again(self, interval: Interval, partitions: int) -> Interval:
        """The same rows under the same identity for another number of partitions.

        Raises ValueError or DecodeError when the interval is none of ours.
        """
        rows: list[Mapping[str, Any]] = []
        facts: Facts | None = None
        for message in interval.messages:
            reader = fastavro.reader(BytesIO(message.value))
            facts = facts or _facts_of(parse_batch(reader.metadata))
            rows += [row for row in reader if isinstance(row, dict)]
        if facts is None:
            raise ValueError("an interval without messages")
        keys = np.fromiter((row[self._key_field] for row in rows), np.int64, len(rows))
        return self.encode(facts, keys, rows, partitions, is_sure=True)

    def _encode_partition(self, facts: Facts, rows: Rows, partition: int, partitions: int) -> list[Message]:
        parts = max(1, -(-len(rows) // _ROWS_A_MESSAGE))
        while True:
            values = [
                self._encode_part(facts, _share(rows, part, parts), (partition, partitions, part, parts))
                for part in range(parts)
            ]
            if parts >= len(rows) or max(len(value) for value in values) <= MESSAGE_BYTES:
                return [Message(partition, value) for value in values]
            parts = min(2 * parts, len(rows))

    def _encode_part(self, facts: Facts, rows: Rows, place: tuple[int, int, int, int]) -> bytes:
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
        return self._encoder.encode(rows, batch.metadata(), sync_marker)


def _share(rows: Rows, part: int, parts: int) -> Rows:
    return rows[len(rows) * part // parts : len(rows) * (part + 1) // parts]


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
