"""What an interval says of its node, as a NodeStatus record (schemas/avro/node_status.avsc)."""

from typing import Any

from schemas.batch import Batch


def is_announcement(batch: Batch) -> bool:
    """Whether this is the one of an interval's parts by which the node's status is told: there is always such a one."""
    return batch.partition == 0 and batch.part == 0


def node_status(batch: Batch) -> dict[str, Any]:
    """The record."""
    return {
        "cluster": batch.cluster,
        "node": batch.node,
        "interval_start_ns": batch.interval_start_ns,
        "interval_end_ns": batch.interval_end_ns,
        "coverage": batch.coverage,
        "lost": dict(batch.lost),
    }
