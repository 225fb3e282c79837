"""The Linux capabilities (capabilities(7)) that the node agent lives on, and what each is for. No others are needed.

This is the one list: the chart grants it, tests run the agent with exactly these, and with one less they hold what the
capability record then tells against ``lost``. In Kubernetes: ``securityContext.capabilities`` that drop ALL and add
these, ``runAsUser: 0`` (others are granted none), ``allowPrivilegeEscalation: false``, ``hostNetwork`` and ``hostPID``.

Two things beside capabilities have the same effect where they are missing. A container sees /proc/sys read-only: mount
the node's /proc/sys/net and name its place by CONNTRAIL_AGENT__SYSCTL_DIRECTORY. AppArmor's profile for containers
forbids to look into processes outside of it: ``appArmorProfile: {type: Unconfined}``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Right:
    """One Linux capability."""

    name: str
    """As Kubernetes has it: without ``CAP_``."""
    number: int
    """Its bit, linux/capability.h."""
    reason: str
    """What the agent does by it."""
    lost: tuple[str, ...]
    """Names of the capability record that are not ok without it."""
    wider: int | None = None
    """The bit of one that holds it, and does as well."""
    is_essential: bool = False
    """Without it the agent sees nothing. Without one of the others it goes on and tells what is lost."""


RIGHTS: Final = (
    Right(
        "NET_ADMIN",
        12,
        "conntrack and its settings, log groups and nftables, in the network namespace of the node",
        ("conntrack_dump", "conntrack_events", "attempts", "dns", "applications"),
        is_essential=True,
    ),
    Right(
        "SYS_ADMIN",
        21,
        "setns(2) into the network namespaces of pods, to ask for their sockets there",
        ("pod_namespaces",),
    ),
    Right(
        "SYS_PTRACE",
        19,
        "the links below /proc/PID/ns and /proc/PID/fd of processes with more rights than ours (ptrace(2), access mode "
        "checking): which namespaces there are, and who holds a socket",
        ("pod_namespaces", "processes"),
    ),
    Right(
        "DAC_READ_SEARCH",
        2,
        "listing /proc/PID/fd of other users' processes: who holds a socket",
        ("processes",),
        wider=1,  # DAC_OVERRIDE, which containers have by default
    ),
)


def parse_effective(status: str) -> int:
    """The effective capabilities by /proc/PID/status, as bits (proc_pid_status(5)). Raises ValueError."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            return int(value, 16)
    raise ValueError("no line CapEff")


def lacking(effective: int, needed_by: str = "") -> list[Right]:
    """The rights that are not among these bits: all, or those that this entry of the capability record needs."""
    return [right for right in RIGHTS if not _is_held(right, effective) and (not needed_by or needed_by in right.lost)]


def _is_held(right: Right, effective: int) -> bool:
    bits = 1 << right.number | (0 if right.wider is None else 1 << right.wider)
    return bool(effective & bits)


def hindrance(rights: Collection[Right]) -> str:
    """The same in words; empty where nothing is lacking."""
    return f"without {' and '.join(f'CAP_{right.name}' for right in rights)}" if rights else ""
