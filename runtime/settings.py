"""Settings: what may be set, of which type, and how environment and TOML become one value.

Pure: the environment and the file arrive as mappings (runtime/reader.py reads them). A setting is named
``CONNTRAIL_<GROUP>__<NAME>`` in the environment and ``[group] name`` in TOML; the environment wins.
All processes share one set of names, so that a name unknown to all of them is surely a mistake.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from runtime.unit import Bytes, Seconds, parse_ports, require_within

PREFIX = "CONNTRAIL_"
CONFIG_VARIABLE = "CONNTRAIL_CONFIG"
TextTreatment = Literal["keep", "hash", "drop"]


class SettingsError(Exception):
    """A setting is unknown or has an unusable value; the message names it and says what is expected."""


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group of settings; an unknown key is an error."""


class KafkaSettings(_Group, frozen=True):
    """How to reach Kafka."""

    bootstrap_servers: str = "127.0.0.1:9092"
    """``host:port`` list, separated by commas."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Of the listener at those ports: with SSL it is encrypted, with SASL it asks for a name and a password."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How name and password are proven; used with a SASL protocol only. PLAIN sends the password itself: only over
    SASL_SSL."""
    sasl_username: str = ""
    """Kafka user. Needed with a SASL protocol."""
    sasl_password: str = ""
    """Its password."""
    ssl_ca_location: str = ""
    """PEM file of the authorities that may have signed the brokers' certificates; empty means the system's."""
    topic_prefix: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9._-]{0,100}$")] = "conntrail."
    """Lets several installations share a cluster. Every topic of ours begins with it."""
    partitions: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 6
    """Partitions of the topics that ``setup`` creates: the upper bound of workers that share the flows."""
    replication: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """Copies of each partition; 3 in production."""


class ElasticsearchSettings(_Group, frozen=True):
    """How to reach Elasticsearch, and the namespace part of the index names."""

    hosts: str = "http://127.0.0.1:9200"
    """URLs, separated by commas; empty means that nothing is indexed."""
    api_key: str = ""
    """Encoded API key (base64 of ``id:key``); empty means that none is sent."""
    ca_certs: str = ""
    """PEM file of the authorities that may have signed the nodes' certificates; empty means the system's."""
    namespace: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.]{0,99}$")] = "default"
    """Last part of the index names: tells installations apart that share a cluster. Lower case, no hyphen."""


class SchemaRegistrySettings(_Group, frozen=True):
    """A Confluent-compatible schema registry; without a URL records carry Avro's own fingerprint."""

    url: str = ""
    """URLs of its servers, separated by commas. With it every topic but the raw ones carries Confluent's frame. Set it
    for all processes, workers first: who has no URL cannot read that frame. Records of both kinds are read together,
    so the setting may change while topics hold the other kind; unset it only when they hold no such frame any more."""
    username: str = ""
    """Basic authentication; empty means none. Some services call it the API key."""
    password: str = ""
    """Its password, or the API secret."""
    ca_certs: str = ""
    """PEM file of the authorities that may have signed its certificate; empty means the system's."""


class HttpSettings(_Group, frozen=True):
    """Where a process serves /metrics, /healthz and /readyz."""

    address: str = "127.0.0.1:0"
    """``host:port``; port 0 takes a free one, which is logged."""
    address_file: str = ""
    """File to which the chosen address is written, for whoever started the process with port 0."""


class LogSettings(_Group, frozen=True):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Nothing below this is logged."""
    format: Literal["auto", "console", "json"] = "auto"
    """``auto``: console on a terminal, JSON elsewhere."""


class AgentSettings(_Group, frozen=True):
    """The node agent."""

    node: str = ""
    """The Kubernetes node's name; empty means the host name."""
    netns: str = ""
    """Path of the network namespace that is the node's; empty means the one the process runs in."""
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
    """``keep`` path templates, ``hash`` them with ``hash_key``, or ``drop`` them."""
    hosts: TextTreatment = "keep"
    """The same for Host headers and server names of TLS."""
    user_agents: TextTreatment = "keep"
    """The same for user agents."""
    request_ids: TextTreatment = "keep"
    """The same for X-Request-ID."""
    hash_key: str = ""
    """Key of the hashes; the same on all nodes, and secret: whoever has it can try texts out."""

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that no schedule has: streams take none that is longer than an hour."""
        require_within("interval", self.interval, 0.1, 3600)
        require_within("attempt_patience", self.attempt_patience, 0.1, 3600)
        if not parse_ports("dns_ports", self.dns_ports):
            raise ValueError("`dns_ports` must name a port; set CONNTRAIL_AGENT__DNS to false for no DNS")
        parse_ports("application_ports", self.application_ports)
        if self.payload_group == self.nflog_group:
            raise ValueError(f"`payload_group` must be another than nflog_group, got {self.payload_group} for both")


class ClusterSettings(_Group, frozen=True):
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


class AuditSettings(_Group, frozen=True):
    """Audit events of the Kubernetes API server, taken by the cluster agent that has the lease."""

    address: str = ""
    """``host:port`` of the webhook backend that API servers post to; empty means none. Beyond loopback it needs a
    certificate, its key and a token."""
    certificate: str = ""
    """PEM file of the backend's certificate, with its chain. Empty means no encryption."""
    key: str = ""
    """PEM file of the certificate's key."""
    token: str = ""
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
        host = self.address.rpartition(":")[0].strip("[]")
        is_local = host in ("127.0.0.1", "::1", "localhost")
        if self.address and not is_local and not (self.certificate and self.token):
            raise ValueError("`address` beyond loopback needs CONNTRAIL_AUDIT__CERTIFICATE, __KEY and __TOKEN")


class WindowSettings(_Group, frozen=True):
    """Windows of the stream processors."""

    size: Seconds = Seconds(60.0)
    """Length of a window; boundaries lie on multiples of it."""
    step: Seconds = Seconds(10.0)
    """Both ends' reports of a connection are matched, and flows are emitted, in steps of this length.
    At least the agents' interval; must divide the size."""
    grace: Seconds = Seconds(10.0)
    """How long a step waits for reports of nodes that are alive and have not sent theirs, and DNS and application
    exchanges for the other node's report and the names of their ends."""

    def __post_init__(self) -> None:
        """Raise ValueError for windows that are no whole number of steps."""
        require_within("size", self.size, 1, 86400)
        require_within("step", self.step, 0.1, self.size)
        require_within("grace", self.grace, 0, 86400)
        if round(self.size * 1000) % round(self.step * 1000):
            raise ValueError(f"`step` of {self.step:g} s must divide the window's size of {self.size:g} s")


class WorkerSettings(_Group, frozen=True):
    """A worker process."""

    id: str = ""
    """The static member's name; empty means the host name. Two live workers may not share it."""
    data_directory: str = ""
    """Where Faust keeps its tables; empty means a temporary directory that goes with the process."""
    refusal_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    """A stage stops when more than this share of its last 200 messages could not be used, 20 at least, instead of
    sending everything to the dead letters. 1 never stops: for getting past a stretch of messages that nobody needs."""


class LocalSettings(_Group, frozen=True):
    """Kafka and Elasticsearch on this machine, for trying out and for tests."""

    data_directory: str = ""
    """Where the stack is kept; empty means a directory of the user's data, for root ``/var/lib/conntrail/local``."""
    repository: str = ""
    """Base URL of a Maven repository to fetch them from; empty means Maven Central."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set. Processes pass on only the group that a part needs."""

    cluster: str = "default"
    """Name of the cluster, in every record and document."""
    kafka: KafkaSettings = KafkaSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    schema_registry: SchemaRegistrySettings = SchemaRegistrySettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    agent: AgentSettings = AgentSettings()
    cluster_agent: ClusterSettings = ClusterSettings()
    audit: AuditSettings = AuditSettings()
    window: WindowSettings = WindowSettings()
    worker: WorkerSettings = WorkerSettings()
    local: LocalSettings = LocalSettings()


def load_settings(environ: Mapping[str, str], document: Mapping[str, Any]) -> Settings:
    """Merge a TOML document and environment variables into settings.

    Raises SettingsError, naming the setting, when one is unknown or of the wrong type.
    """
    merged: dict[str, Any] = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in document.items()
    }
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        group, separator, name = variable.removeprefix(PREFIX).lower().partition("__")
        if separator:
            values = merged.setdefault(group, {})
            if not isinstance(values, dict):
                raise SettingsError(f"{variable}: {group} is a single setting, not a group")
            values[name] = text
        else:
            merged[group] = text
    try:
        return msgspec.convert(merged, Settings, strict=False, dec_hook=_convert)
    except msgspec.ValidationError as error:
        raise SettingsError(_name_setting(str(error))) from None


def _convert(kind: type, value: object) -> object:
    if kind in (Seconds, Bytes):
        if isinstance(value, kind):
            return value
        return kind.parse(str(value))
    raise NotImplementedError(kind)


def _name_setting(message: str) -> str:
    """Turn msgspec's path (``$.kafka.partitions``) into the name that the user typed."""
    text, _, path = message.partition(" - at `$")
    parts = [part for part in path.rstrip("`").split(".") if part]
    unknown = re.search(r"unknown field `([^`]+)`", text)
    if unknown:
        name = PREFIX + "__".join([*parts, unknown[1]]).upper()
        return f"{name}: unknown setting; see the settings page of the documentation for the names"
    named = re.match(r"`(\w+)` ", text)  # by a group that holds its values against each other
    if named:
        parts, text = [*parts, named[1]], text[named.end() :]
    return f"{PREFIX}{'__'.join(parts).upper()}: {text[:1].lower()}{text[1:]}"
