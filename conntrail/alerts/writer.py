"""Prints alerts as they come, and writes silences to their topic."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import typer
from confluent_kafka import KafkaException, Producer

from conntrail.alerts.listing import alert_line
from conntrail.errors import CommandError
from runtime.kafka import client_configuration
from runtime.settings import Settings
from schemas.errors import RegistryError
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.topic import SILENCES
from streams.notice.document import alert_document, text_of

_PATIENCE_SECONDS = 15.0


def print_followed(alerts: Iterable[Mapping[str, Any]], *, is_json: bool) -> None:
    """A line each, until Ctrl-C."""
    try:
        for alert in alerts:
            typer.echo(text_of(alert_document(alert)) if is_json else alert_line(alert))
            sys.stdout.flush()
    except KeyboardInterrupt:
        return


def write_silence(settings: Settings, silence: dict[str, Any]) -> None:
    """Return when Kafka has it. Raises CommandError."""
    name = SILENCES.full_name(settings.kafka.topic_prefix)
    faults: list[str] = []
    try:
        codec = RegistryWriter(RegistryReader(settings.schema_registry)).codec(SILENCES, settings.kafka.topic_prefix)
        configuration = client_configuration(settings.kafka, "conntrail-alerts")
        producer = Producer(
            {**configuration, "acks": "all", "message.timeout.ms": int(_PATIENCE_SECONDS * 1000), "log_level": 0}
        )
        producer.produce(
            name,
            codec.encode(silence),
            silence["id"].encode(),
            on_delivery=lambda error, _message: faults.append(error.str()) if error else None,
        )
        waiting = producer.flush(_PATIENCE_SECONDS + 1)
    except RegistryError as error:
        raise CommandError(str(error)) from error
    except KafkaException as error:
        raise CommandError(f"Kafka at {settings.kafka.bootstrap_servers}: {error.args[0].str()}") from error
    if faults or waiting:
        reason = faults[0] if faults else "it does not answer"
        raise CommandError(f"Kafka at {settings.kafka.bootstrap_servers} did not take the silence: {reason}")
