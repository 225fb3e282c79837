"""Settings of the node agent, and what is held against each other among them."""

from typing import Annotated, Literal

import msgspec

from runtime.setting.group import Group
from runtime.unit import Bytes, Seconds, parse_ports, require_within

TextTreatment = Literal["keep", "hash", "drop"]


class AgentSettings(Group, frozen=True):
    """The node agent."""

    node: str = ""
    """The Kubernetes node's name; empty means the host name."""
    netns: str = ""
    """Path of the network namespace that is the node's; empty means the one the process runs in."""
    sysctl_directory: str = "/proc/sys/net"
    """Where the kernel's network settings are written. A container's own /proc/sys is read-only, so there the node's
    is mounted beside it; it shows the settings of whichever network namespace reads it."""
    interval: Seconds = Seconds(10.0)
    """Reporting period. Shorter shows traffic earlier and costs more messages; boundaries lie on
    multiples of it, so that all nodes cut at the same instants."""
    nflog_group: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 47
    """NFLOG group of our own; 1, 2, 3 and 100 belong to others."""
    attempts_per_second: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2000
    """First packets logged a second at most; what is cut is counted."""
    attempt_patience: Seconds = Seconds(1.0)
    """How long a first packet may stay unconfirmed before it counts as denied. Confirmation takes under
    1 ms; the rest is margin for a busy node."""
    denials: bool = True
    """Tell denied first packets and refused connections within two seconds, in a topic of their own, ahead of the
    interval that counts them. Alerts on denials wait for intervals, steps and windows without it."""
    receive_buffer: Bytes = Bytes(16 << 20)
    """Socket buffer for kernel events. Too small loses events in bursts: counted, and the interval is lossy."""
    state_directory: str = ""
    """Keeps counters and unsent intervals over a restart; empty means none is kept."""
    spool_memory: Bytes = Bytes(16 << 20)
    """Unsent intervals kept in memory while Kafka is away; then they go to disk, if there is a directory."""
    spool_disk: Bytes = Bytes(256 << 20)
    """Unsent intervals kept on disk; beyond, the oldest are dropped and counted."""
    sockets: bool = True
    """Ask the kernel for sockets: TCP figures and processes."""
    payload_group: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 48
    """NFLOG group of our own for packets of DNS and applications; another than ``nflog_group``, so that a flood of
    the ones does not hide the others."""
    prompt_group: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 49
    """NFLOG group of our own for a sample of the DNS answers that are made on the node, which are timed by reading.
    Where another process has it, they are told without a latency."""
    dns: bool = True
    """Read DNS: exchanges, and names of destinations."""
    dns_per_second: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2000
    """Packets of DNS logged a second at most, queries and answers together; what is cut is counted."""
    dns_ports: str = "53"
    """Ports of DNS servers, separated by commas: where a cache on the node listens elsewhere, before and after DNAT."""
    applications: bool = True
    """Read the heads of HTTP, TLS and SSH: exchanges, and application protocols."""
    application_per_second: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2000
    """Heads logged a second at most; what is cut is counted."""
    application_ports: str = ""
    """Ports of servers whose heads are read, separated by commas; empty means all."""
    keep_query: bool = False
    """Keep the query string behind the path. It often holds secrets, and makes almost every path its own."""
    paths: TextTreatment = "keep"
    """``keep`` path templates, ``hash`` them with ``hash_key``, or ``drop`` them. Where only a path decides what the
    policies say of a request, the verdict is then ``unknown``."""
    hosts: TextTreatment = "keep"
    """The same for Host headers and server names of TLS."""
    user_agents: TextTreatment = "keep"
    """The same for user agents."""
    request_ids: TextTreatment = "keep"
    """The same for X-Request-ID."""
    hash_key: str = ""
    """Key of the hashes; the same on all nodes, and secret: whoever has it can try texts out. Needed where anything is
    hashed."""

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that no schedule has: streams take none that is longer than an hour."""
        require_within("interval", self.interval, 0.1, 3600)
        require_within("attempt_patience", self.attempt_patience, 0.1, 3600)
        if not parse_ports("dns_ports", self.dns_ports):
            raise ValueError("`dns_ports` must name a port; set CONNTRAIL_AGENT__DNS to false for no DNS")
        parse_ports("application_ports", self.application_ports)
        if self.payload_group == self.nflog_group:
            raise ValueError(f"`payload_group` must be another than nflog_group, got {self.payload_group} for both")
        if self.prompt_group in (self.nflog_group, self.payload_group):
            raise ValueError(f"`prompt_group` must be another than those two, got {self.prompt_group}")
        if "hash" in (self.paths, self.hosts, self.user_agents, self.request_ids) and not self.hash_key:
            raise ValueError("`hash_key` must be given where texts are hashed; without one anybody could try texts out")
