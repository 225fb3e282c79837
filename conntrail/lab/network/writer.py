"""Makes and removes network namespaces and what is in them, by the programs ip and nft."""

import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from conntrail.errors import CommandError

_FORWARDING: Final = (
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
)
_NAMESPACES: Final = Path("/run/netns")


def make_namespaces(names: Iterable[str]) -> None:
    """Raises CommandError when one is there already, or the right to is missing."""
    for name in names:
        _run("ip", "netns", "add", name)


def namespace_path(name: str) -> str:
    """Where a named network namespace is found."""
    return str(_NAMESPACES / name)


def apply_links(name: str, lines: Iterable[str]) -> None:
    """Run lines of ``ip -batch`` in a namespace."""
    _run("ip", "-n", name, "-batch", "-", text="\n".join(lines))


def allow_forwarding(name: str) -> None:
    """Make a namespace a router."""
    _run("ip", "netns", "exec", name, "sysctl", "-qw", *_FORWARDING)


def allow_ping(name: str) -> None:
    """Let every group of a namespace send echo requests by datagram sockets."""
    _run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")


def apply_ruleset(name: str, script: str) -> None:
    """Load an nftables script in a namespace."""
    _run("ip", "netns", "exec", name, "nft", "-f", "-", text=script)


def tracked_connections(name: str) -> str:
    """What the conntrack program lists in a namespace, both families."""
    listings = [
        _run("ip", "netns", "exec", name, "conntrack", "-L", "-f", family, "-o", "extended,id")
        for family in ("ipv4", "ipv6")
    ]
    return "".join(listings)


def remove_namespaces(names: Iterable[str]) -> None:
    """End every process in these namespaces and remove them; what is gone already is no error."""
    for name in names:
        if not (_NAMESPACES / name).exists():
            continue
        pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout.split()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _run(*command: str, text: str | None = None) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CommandError(f"the program {command[0]} is missing: run make setup") from error
    if done.returncode != 0:
        reason = (done.stderr.strip() or "no reason given").splitlines()[0]
        if "Operation not permitted" in done.stderr or "Permission denied" in done.stderr:
            raise CommandError("the lab needs root, for network namespaces")
        raise CommandError(f"{' '.join(command[:6])}: {reason}")
    return done.stdout
