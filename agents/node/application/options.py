"""What of an exchange is told, what is hidden, and how much is held at once."""

from dataclasses import dataclass
from enum import Enum


class Treatment(Enum):
    """What becomes of a text before it leaves the node."""

    KEEP = "keep"
    HASH = "hash"
    """A keyed hash, so that equal texts stay equal and nobody without the key can try texts out."""
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class ApplicationOptions:
    """All nodes of a cluster need the same ``hash_key``, or their hashes do not meet."""

    keep_query: bool = False
    """The query string stays behind the template; it often holds secrets and makes almost every path its own."""
    paths: Treatment = Treatment.KEEP
    """Path templates."""
    hosts: Treatment = Treatment.KEEP
    """Host headers and server names of TLS."""
    user_agents: Treatment = Treatment.KEEP
    request_ids: Treatment = Treatment.KEEP
    """X-Request-ID; traceparent is random as the W3C asks, and stays."""
    hash_key: bytes = b""
    """Of any length; an empty one hides little, since texts can be tried out."""
    templates_per_server: int = 100
    """Distinct path templates of a server in an hour; those beyond lose their deeper segments."""
    connections: int = 8192
    """Connections of which something is remembered; about 1 KiB each, requests aside."""
    waiting_per_connection: int = 32
    """Requests of a connection that wait for their answers."""
    waiting: int = 4096
    """The same of all connections; 2.5 KiB each at worst."""
    rows: int = 10_000
    """Rows of an interval, 2 KiB each at worst; exchanges beyond are folded to one row a server and status class, and
    counted."""
    folded_rows: int = 1_000
    """Rows of folded exchanges; what is beyond is counted alone."""
    patience_ns: int = 30_000_000_000
    """How long an answer is waited for."""
