"""What is needed of a cluster."""

from typing import Final

from conntrail.doctor import clock
from conntrail.doctor.finding import Check

SERVER: Final = Check(
    "cluster",
    "server",
    "all names: flows are told by address, and no policy is judged",
    "run in the cluster with a service account, or name a kubeconfig by --kubeconfig",
)
ACCESS: Final = Check(
    "cluster",
    "access",
    "what the line says",
    "grant it to the cluster agent's service account by RBAC",
)
CLOCK: Final = Check("cluster", "clock", clock.LOST, clock.REMEDY)
PARTS: Final = Check(
    "cluster",
    "parts",
    "nothing between one release and the next; with more between them, records that the older cannot read",
    "upgrade them together: helm upgrade",
)
CHECKS: Final = (SERVER, ACCESS, PARTS, CLOCK)
