"""The Faust application of a stage."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials

from runtime.reader import certificates
from runtime.settings import KafkaSettings
from streams.stage.main import Process


def application(process: Process, stage: str, topics: Iterable[str]) -> tuple[faust.App, faust.TopicT]:
    """A Faust application that reads topics as bytes."""
    kafka = process.settings.kafka
    app = faust.App(
        process.group(stage),
        broker=[f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
        broker_credentials=_credentials(kafka),
        broker_client_id=process.group(stage),
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=process.identity,
        processing_guarantee="at_least_once",
        producer_request_timeout=30.0,
        store="memory://",
        datadir=Path(process.settings.worker.data_directory or process.scratch.name) / process.group(stage),
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        # Acknowledgements are held until windows are final; who waits for them waits for a window.
        stream_wait_empty=False,
        web_enabled=False,
    )
    raw: Any = "raw"
    return app, app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer=raw, value_serializer=raw)


def _credentials(settings: KafkaSettings) -> SASLCredentials | SSLCredentials | None:
    if settings.security_protocol == "PLAINTEXT":
        return None
    is_encrypted = settings.security_protocol.endswith("SSL")
    ca_location = settings.ssl_ca_location
    context = certificates("CONNTRAIL_KAFKA__SSL_CA_LOCATION", ca_location) if is_encrypted else None
    if settings.security_protocol == "SSL":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password,
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )
