"""Settings that every process has: its own HTTP server, and its logs."""

from typing import Literal

from runtime.setting.address import require_address
from runtime.setting.group import Group, Secret


class HttpSettings(Group, frozen=True):
    """Where a process serves /metrics, /healthz and /readyz."""

    address: str = "127.0.0.1:0"
    """``host:port``; port 0 takes a free one, which is logged. Beyond loopback everybody who reaches it may read the
    metrics, which name nodes, topics and policies, unless there is a token."""
    address_file: str = ""
    """File to which the chosen address is written, for whoever started the process with port 0."""
    token: Secret = ""
    """Bearer token that /metrics asks for; empty means none. Probes never ask for one: they tell no more than what is
    wrong with the process."""

    def __post_init__(self) -> None:
        """Raise ValueError for an address that is none."""
        require_address("address", self.address)


class LogSettings(Group, frozen=True):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Nothing below this is logged."""
    format: Literal["auto", "console", "json"] = "auto"
    """``auto``: console on a terminal, JSON elsewhere."""
