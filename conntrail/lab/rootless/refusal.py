"""Why the kernel lets a user make no namespaces, and what to set. Pure."""

from collections.abc import Mapping
from typing import Final

SETTINGS: Final = {
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
    "user.max_user_namespaces": ("0", "10000"),
    "user.max_net_namespaces": ("0", "10000"),
    "user.max_mnt_namespaces": ("0", "10000"),
    "user.max_pid_namespaces": ("0", "10000"),
}
"""Settings that may forbid it: the value that does, and one that does not. Debian's, Ubuntu's, every kernel's."""


def refusal(settings: Mapping[str, str], said: str) -> str:
    """One line. ``settings``: values of those that this kernel has; ``said``: what the attempt complained of."""
    needed = [f"{name}={SETTINGS[name][1]}" for name, value in settings.items() if value == SETTINGS[name][0]]
    if needed:
        return f"the kernel allows users no namespaces: as root, sysctl -w {' '.join(needed)}; or run the lab as root"
    reason = " ".join(said.split()) or "no reason given"
    return f"this user gets no namespaces of its own ({reason[:200]}): run the lab as root"
