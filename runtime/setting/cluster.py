"""Settings of the cluster agent, and of the audit events that it takes."""

from typing import Annotated

import msgspec

from runtime.setting.address import is_loopback, require_address
from runtime.setting.group import Group, Secret
from runtime.unit import Bytes, Seconds


class ClusterSettings(Group, frozen=True):
    """The cluster agent."""

    manifests: str = ""
    """A directory of YAML instead of an API server."""
    kubeconfig: str = ""
    """Empty means in-cluster credentials, or the default kubeconfig outside a cluster."""
    lease_namespace: str = "conntrail"
    """Kubernetes namespace of the lease."""
    lease_name: str = "conntrail-cluster-agent"
    """Of several replicas the holder of this lease publishes; empty means that there is one replica and no lease."""
    lease_duration: Seconds = Seconds(15.0)
    """After so long without renewal another replica takes over. Shorter hands over sooner and asks the API server more
    often; an API server that is away for longer ends the holder's right to publish."""
    identity: str = ""
    """This replica's name in the lease; empty means the host name with a random end."""
    tombstone_delay: Seconds = Seconds(900.0)
    """How long a deletion record stays before the key is removed from the topic; flows that arrive later
    than this cannot be named any more."""
    events: bool = True
    """Follow Kubernetes Events too; needs the right to list and watch ``events``."""
    alert_events: bool = False
    """Tell alerts as Kubernetes Events on the workloads that they touch; needs the right to ``create`` ``events`` (core
    group)."""


class AuditSettings(Group, frozen=True):
    """Audit events of the Kubernetes API server, taken by the cluster agent that has the lease."""

    address: str = ""
    """``host:port`` of the webhook backend that API servers post to; empty means none. Beyond loopback it needs a
    certificate, its key and a token."""
    certificate: str = ""
    """PEM file of the backend's certificate, with its chain. Empty means no encryption."""
    key: str = ""
    """PEM file of the certificate's key."""
    token: Secret = ""
    """Bearer token that API servers send (``users: - user: {token: …}`` in the file of --audit-webhook-config-file).
    Empty means that none is asked for."""
    maximum_body: Bytes = Bytes(16 << 20)
    """Largest body that is read; four are held at once. An API server whose batches are larger loses them: lower its
    --audit-webhook-batch-max-size, or do not log bodies, which are not kept anyway."""
    file: str = ""
    """Audit log file to follow (--audit-log-path), over rotation by rename and by truncation; empty means none."""
    state_file: str = ""
    """Keeps how far the file has been read; empty means that each start reads it from its beginning, which changes
    nothing that is stored."""
    reads: bool = False
    """Keep get, list and watch too, within the rate."""
    per_second: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 50
    """Audit events kept a second at most, of what is neither policy, Service, workload, node, namespace nor right, of
    status updates, and of reads. What is cut is counted."""

    def __post_init__(self) -> None:
        """Raise ValueError for a backend that anybody could post to or listen to."""
        if bool(self.certificate) != bool(self.key):
            raise ValueError("`key` must be given with a certificate, and only then")
        if not self.address:
            return
        require_address("address", self.address)
        if not is_loopback(self.address) and not (self.certificate and self.token):
            raise ValueError("`address` beyond loopback needs CONNTRAIL_AUDIT__CERTIFICATE, __KEY and __TOKEN")
