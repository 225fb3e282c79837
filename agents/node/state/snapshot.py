"""What the agent must know of its earlier life so that no byte is counted twice or lost."""

from dataclasses import dataclass
from typing import Final

from agents.errors import ReadError
from agents.publish.frame import pack, unpack

_MARKER: Final = b"CTS1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The agent's state between two intervals."""

    node: str
    boot: str
    next_sequence: int
    """Intervals with this number or a higher one were never sent."""
    interval_end_ns: int
    partitions: int
    """Partitions of the topic when last known; 0 when never."""
    connections: bytes
    sockets: bytes


def pack_snapshot(snapshot: Snapshot) -> bytes:
    """The snapshot as a file."""
    header = {
        "node": snapshot.node,
        "boot": snapshot.boot,
        "next_sequence": snapshot.next_sequence,
        "interval_end_ns": snapshot.interval_end_ns,
        "partitions": snapshot.partitions,
    }
    return pack(_MARKER, header, [snapshot.connections, snapshot.sockets])


def unpack_snapshot(data: bytes) -> Snapshot:
    """The snapshot again. Raises ReadError when the file is torn or of another kind."""
    header, blobs = unpack(_MARKER, data)
    try:
        connections, sockets = blobs
        return Snapshot(
            str(header["node"]),
            str(header["boot"]),
            int(header["next_sequence"]),
            int(header["interval_end_ns"]),
            int(header["partitions"]),
            connections,
            sockets,
        )
    except (KeyError, ValueError) as error:
        raise ReadError(f"no state of an agent: {error}") from error
