"""Settings of what processes connect to: Kafka, Elasticsearch, a schema registry."""

from typing import Annotated, Literal

import msgspec

from runtime.setting.group import Group, Secret


class KafkaSettings(Group, frozen=True):
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
    sasl_password: Secret = ""
    """Its password."""
    ssl_ca_location: str = ""
    """PEM file of the authorities that may have signed the brokers' certificates; empty means the system's."""
    topic_prefix: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9._-]{0,100}$")] = "conntrail."
    """Lets several installations share a cluster. Every topic of ours begins with it."""
    partitions: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 6
    """Partitions of the topics that ``setup`` creates: the upper bound of workers that share the flows."""
    replication: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """Copies of each partition; 3 in production."""


class ElasticsearchSettings(Group, frozen=True):
    """How to reach Elasticsearch, and the namespace part of the index names."""

    hosts: str = "http://127.0.0.1:9200"
    """URLs, separated by commas; without a port, that of the scheme. Empty means that nothing is indexed."""
    api_key: Secret = ""
    """Encoded API key (base64 of ``id:key``); empty means that none is sent."""
    username: str = ""
    """Basic authentication, instead of an API key; empty means none."""
    password: Secret = ""
    """Its password."""
    ca_certs: str = ""
    """PEM file of the authorities that may have signed the nodes' certificates; empty means the system's."""
    namespace: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.]{0,99}$")] = "default"
    """Last part of the index names: tells installations apart that share a cluster. Lower case, no hyphen."""

    def __post_init__(self) -> None:
        """Raise ValueError for two proofs of who we are."""
        if self.api_key and self.username:
            raise ValueError("`username` and CONNTRAIL_ELASTICSEARCH__API_KEY exclude each other: set one of them")


class SchemaRegistrySettings(Group, frozen=True):
    """A Confluent-compatible schema registry; without a URL records carry Avro's own fingerprint."""

    url: str = ""
    """URLs of its servers, separated by commas. With it every topic but the raw ones carries Confluent's frame. Set it
    for all processes, workers first: who has no URL cannot read that frame. Records of both kinds are read together,
    so the setting may change while topics hold the other kind; unset it only when they hold no such frame any more."""
    username: str = ""
    """Basic authentication; empty means none. Some services call it the API key."""
    password: Secret = ""
    """Its password, or the API secret."""
    ca_certs: str = ""
    """PEM file of the authorities that may have signed its certificate; empty means the system's."""


class KibanaSettings(Group, frozen=True):
    """Kibana, for ``conntrail setup``, which imports data views, searches and dashboards there."""

    url: str = ""
    """Its URL, with the base path if it has one; empty means that nothing is imported."""
    space: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{0,100}$")] = ""
    """Identifier of the space to import into; empty means the default space. Objects of other spaces have other ids."""
    api_key: Secret = ""
    """Encoded API key (base64 of ``id:key``) with the privilege to manage saved objects; empty means that none is
    sent."""
    username: str = ""
    """Basic authentication; empty means none."""
    password: Secret = ""
    """Its password."""
    ca_certs: str = ""
    """PEM file of the authorities that may have signed its certificate; empty means the system's."""
