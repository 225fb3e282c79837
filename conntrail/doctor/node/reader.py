"""Reads a node: its kernel, our rights, names of links and rules, and by the agent's own parts what it would see."""

import json
import os
import platform
import socket
import subprocess
from pathlib import Path
from typing import Any, Final

from structlog.testing import capture_logs

from agents.errors import AgentError
from agents.node.capability.right import parse_effective
from agents.node.namespace.reader import entered
from agents.node.probe.main import probe
from conntrail.doctor.node.dataplane import Netfilter, exempts_from_conntrack
from conntrail.doctor.node.judge import NodeFacts
from conntrail.errors import CommandError
from runtime.settings import AgentSettings

_PATIENCE_SECONDS: Final = 20.0
_NETWORK: Final = Path("/proc/thread-self/net")
_LEGACY_FILES: Final = ("ip_tables_names", "ip6_tables_names")
_CONNTRACK_PRIORITY: Final = -200
"""NF_IP_PRI_CONNTRACK (linux/netfilter_ipv4.h): only a chain before it can exempt a packet."""
_IPVS_HEADINGS: Final = 3
"""Lines of /proc/net/ip_vs before its first server (ip_vs_ctl.c)."""


def read_effective() -> int:
    """Capabilities of this process, as bits."""
    return parse_effective(Path("/proc/self/status").read_text(encoding="utf-8", errors="replace"))


def read_node(settings: AgentSettings) -> NodeFacts:
    """Takes some seconds on a busy node. Raises CommandError when its network namespace cannot be entered."""
    try:
        with entered(settings.netns):
            netfilter = _read_netfilter()
        with capture_logs():  # findings tell what the agent's parts would log
            record = tuple(probe(settings))
        return NodeFacts(platform.release(), read_effective(), netfilter, record)
    except AgentError as error:
        raise CommandError(str(error)) from error


def _read_netfilter() -> Netfilter:
    tables = {f"{one['family']} {one['name']}" for entry in _list("tables") if (one := entry.get("table"))}
    listed = [one for entry in _list("chains") if (one := entry.get("chain"))]
    chains = {str(one["name"]) for one in listed}
    before = {f"{one['family']} {one['table']}" for one in listed if one.get("prio", 0) < _CONNTRACK_PRIORITY}
    exempting = {table for table in before if exempts_from_conntrack(_list("table", *table.split(maxsplit=1)))}
    legacy = any(_lines(name) for name in _LEGACY_FILES)
    links = {name for _, name in socket.if_nameindex()}
    return Netfilter(links, tables, chains, legacy, len(_lines("ip_vs")) > _IPVS_HEADINGS, exempting)


def _list(*what: str) -> list[dict[str, Any]]:
    """What nft lists; nothing without the program or the right, which other lines tell."""
    command = ["nft", "--json", "--terse", "--stateless", "list", *what]
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_SECONDS, check=False, env=environment)
        return list(json.loads(done.stdout)["nftables"]) if done.returncode == 0 else []
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return []


def _lines(name: str) -> list[str]:
    try:
        return (_NETWORK / name).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
