"""What is remembered of a connection between reports, and how it is kept over a restart."""

from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.entry import Entries
from agents.node.report.columns import TUPLES
from agents.node.report.key import mix

LIVE: Final = np.dtype(
    [
        ("key", "u8"),
        *TUPLES,
        ("connection_id", "i8"),
        ("status", "u4"),
        ("tcp_state", "u1"),
        ("original_packets", "u8"),  # totals as last reported
        ("original_bytes", "u8"),
        ("reply_packets", "u8"),
        ("reply_bytes", "u8"),
        ("started_at_ns", "i8"),
        ("kernel_start_ns", "i8"),  # 0 when the kernel gives no times
        ("was_final", "?"),
        ("absences", "u1"),  # dumps in a row that did not show it
    ]
)
"""Sorted by key."""

Live = npt.NDArray[np.void]


def keys_of(entries: Entries) -> npt.NDArray[np.uint64]:
    """Identity of each entry while it lives: the kernel's id, the zone and the original tuple."""
    head = (
        entries["id"].astype(np.uint64)
        | (entries["zone"].astype(np.uint64) << np.uint64(32))
        | (entries["protocol"].astype(np.uint64) << np.uint64(48))
    )
    ports = (
        entries["original_source_port"].astype(np.uint64)
        | (entries["original_destination_port"].astype(np.uint64) << np.uint64(16))
        | (entries["icmp_id"].astype(np.uint64) << np.uint64(32))
    )
    words = [entries[f"original_{end}_{half}"] for end in ("source", "destination") for half in ("high", "low")]
    return mix(head, ports, *words)


def export_live(live: Live) -> bytes:
    """As numpy's own format, without pickle."""
    buffer = BytesIO()
    np.save(buffer, live, allow_pickle=False)
    return buffer.getvalue()


def import_live(data: bytes) -> Live:
    """Raises ValueError when the data is not what ``export_live`` gave."""
    loaded = np.load(BytesIO(data), allow_pickle=False)
    if not isinstance(loaded, np.ndarray) or loaded.dtype != LIVE or loaded.ndim != 1:
        raise ValueError("the kept state is of another version")
    return loaded
