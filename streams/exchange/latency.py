"""Latencies of many exchanges in four figures."""

from collections.abc import Mapping, Sequence
from typing import Any


def latency_record(row: Mapping[str, Any]) -> dict[str, int | None]:
    """The ``latency`` record of a row, µs. Mean and maximum are of all that were timed, the others of the sample."""
    sample: Sequence[int] = sorted(row["latency_us"])
    timed = row["timed"]
    return {
        "mean_us": round(row["latency_sum_us"] / timed) if timed else None,
        "p50_us": _nearest_rank(sample, 50),
        "p95_us": _nearest_rank(sample, 95),
        "max_us": row["latency_max_us"] if timed else None,
    }


def _nearest_rank(ordered: Sequence[int], percent: int) -> int | None:
    """The least value that so many percent do not exceed; None of nothing."""
    return ordered[max(-(-percent * len(ordered) // 100) - 1, 0)] if ordered else None
