"""Reads what there is where the command runs, so that it looks at that."""

import os
from pathlib import Path
from typing import Final

from conntrail.doctor.choice import Surroundings
from runtime.settings import Settings

_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_NET_ADMIN: Final = 12
"""linux/capability.h"""
_STATUS: Final = Path("/proc/self/status")


def read_surroundings(settings: Settings) -> Surroundings:
    """By files, the environment and settings; nothing is asked over the network."""
    kubeconfigs = [settings.cluster_agent.kubeconfig, *os.environ.get("KUBECONFIG", "").split(os.pathsep)]
    files = [_TOKEN, Path.home() / ".kube/config", *(Path(name) for name in kubeconfigs if name)]
    return Surroundings(_has_rights(), any(file.is_file() for file in files), bool(settings.elasticsearch.hosts))


def _has_rights() -> bool:
    try:
        lines = _STATUS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux
        return False
    effective = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return bool(effective >> _NET_ADMIN & 1)
