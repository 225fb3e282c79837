"""Kafka settings in librdkafka's words. Pure: clients are built where they are used."""

from runtime.settings import KafkaSettings


class BrokerError(Exception):
    """Kafka does not let us in, or does not answer; the message is one line that says what to check."""


Configuration = dict[str, str | int | float | bool]


def client_configuration(settings: KafkaSettings, client_id: str) -> Configuration:
    """What producers, consumers and admin clients have in common (librdkafka's CONFIGURATION.md)."""
    configuration: Configuration = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "client.id": client_id,
    }
    if settings.security_protocol.startswith("SASL"):
        configuration["sasl.mechanism"] = settings.sasl_mechanism
        configuration["sasl.username"] = settings.sasl_username
        configuration["sasl.password"] = settings.sasl_password
    if settings.security_protocol.endswith("SSL") and settings.ssl_ca_location:
        configuration["ssl.ca.location"] = settings.ssl_ca_location
    return configuration
