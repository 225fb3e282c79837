"""What the lab reads of Kubernetes objects, field by field; other fields pass as they are."""

from typing import Annotated, Literal

import msgspec

Number = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Protocol = Literal["TCP", "UDP", "SCTP"]
_Labels = dict[str, str]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_Name = Annotated[
    str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){0,20}\.?)?$", max_length=253)
]
_Path = Annotated[str, msgspec.Meta(pattern=r"^/[\x21-\x7e]{0,500}$")]
"""Of HTTP; {id} and {uuid} in it are filled anew each time."""


class Part(msgspec.Struct, rename="camel"):
    """Other fields are allowed: these are ordinary Kubernetes objects."""


class Owner(Part):
    """Of an object's owners; one at most is its controller."""

    kind: str
    name: str
    api_version: str
    controller: bool = False


class Metadata(Part):
    """Of an object."""

    name: str
    namespace: str = "default"
    labels: _Labels = {}
    annotations: _Labels = {}
    owner_references: list[Owner] = []


class TemplateMetadata(Part):
    """Of the pods of a workload."""

    labels: _Labels = {}
    annotations: _Labels = {}


class _ContainerPort(Part):
    container_port: Number
    name: str = ""
    protocol: Protocol = "TCP"


class _Container(Part):
    name: str
    ports: list[_ContainerPort] = []
    restart_policy: str = ""


class PodSpec(Part):
    """Of a pod."""

    containers: Annotated[list[_Container], msgspec.Meta(min_length=1)]
    init_containers: list[_Container] = []
    host_network: bool = False
    node_name: str = ""
    node_selector: _Labels = {}


class Template(Part):
    """Pods of a workload."""

    spec: PodSpec
    metadata: TemplateMetadata = msgspec.field(default_factory=TemplateMetadata)


class Expression(Part, forbid_unknown_fields=True):
    """Of a LabelSelector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []


class Selector(Part, forbid_unknown_fields=True):
    """LabelSelector. With a field that is not known it would select more than is meant."""

    match_labels: _Labels = {}
    match_expressions: list[Expression] = []


class _Ordinals(Part):
    start: _Count = 0


class WorkloadSpec(Part):
    """Of a Deployment, ReplicaSet, StatefulSet or DaemonSet."""

    template: Template
    selector: Selector
    replicas: _Count = 1
    ordinals: _Ordinals = msgspec.field(default_factory=_Ordinals)


class ReplicationControllerSpec(Part):
    """Its selector is a plain map, the template's labels when there is none."""

    template: Template
    selector: _Labels = {}
    replicas: _Count = 1


class JobSpec(Part):
    """Of a Job."""

    template: Template
    parallelism: _Count = 1
    completions: Annotated[int, msgspec.Meta(ge=0)] | None = None
    suspend: bool = False


class _JobTemplate(Part):
    spec: JobSpec


class CronJobSpec(Part):
    """Of a CronJob."""

    job_template: _JobTemplate
    schedule: str
    suspend: bool = False


class _ServicePort(Part):
    port: Number
    name: str = ""
    protocol: Protocol = "TCP"
    target_port: Number | str | None = None


class ServiceSpec(Part):
    """Of a Service."""

    ports: list[_ServicePort] = []
    selector: _Labels = {}
    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    cluster_ip: str = msgspec.field(name="clusterIP", default="")


class Block(Part):
    """IPBlock."""

    cidr: str
    except_: list[str] = msgspec.field(name="except", default_factory=list)


class Peer(Part):
    """NetworkPolicyPeer."""

    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: Block | None = None


class PolicyPort(Part):
    """NetworkPolicyPort."""

    port: Number | str | None = None
    end_port: Number | None = None
    protocol: Protocol = "TCP"


class _Ingress(Part):
    from_: list[Peer] = msgspec.field(name="from", default_factory=list)
    ports: list[PolicyPort] = []


class _Egress(Part):
    to: list[Peer] = []
    ports: list[PolicyPort] = []


class PolicySpec(Part):
    """Of a NetworkPolicy."""

    pod_selector: Selector = msgspec.field(default_factory=Selector)
    policy_types: list[Literal["Ingress", "Egress"]] = []
    ingress: list[_Ingress] = []
    egress: list[_Egress] = []


class Call(Part, forbid_unknown_fields=True):
    """What the lab's annotation tells a pod to call."""

    kind: Literal[
        "http", "http6", "keep", "keep6", "tcp", "tcp6", "udp", "udp6", "dns", "dns6", "tls", "tls6", "ping", "ping6"
    ]
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    every: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Seconds between calls."""
    bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 30)] = 100
    expect: Literal["allowed", "denied", "refused"] = "allowed"
    by: str = ""
    direction: Literal["", "ingress", "egress"] = ""
    to: str = ""
    resolve: str = ""
    """Name that is looked up before each call; instead of ``to``."""
    host: _Name = ""
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    paths: Annotated[tuple[_Path, ...], msgspec.Meta(min_length=1)] = ("/items",)
    names: list[_Name] = []
    types: Annotated[tuple[Literal["A", "AAAA", "SRV", "TXT"], ...], msgspec.Meta(min_length=1)] = ("A", "AAAA")
    edns: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0
    alpn: tuple[Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,255}$")], ...] = ("h2", "http/1.1")
