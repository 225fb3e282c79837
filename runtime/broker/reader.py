"""Asks Kafka who is there, once before a process starts its work: a wrong password or certificate ends it at once.

librdkafka tries for ever and tells why in a callback only, so whoever just waits for an answer gets "timed out".
"""

import re
import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from runtime.kafka import BrokerError, client_configuration
from runtime.settings import KafkaSettings

PATIENCE_SECONDS: Final = 30.0
_ASK_SECONDS: Final = 1.0
_FRESH_SECONDS: Final = 5.0
"""How long a broker may not know yet of a topic that another has made."""
_FRESH_PAUSE_SECONDS: Final = 0.1
_ADVICE: Final = {
    KafkaError._AUTHENTICATION: "check CONNTRAIL_KAFKA__SASL_MECHANISM, __SASL_USERNAME and __SASL_PASSWORD",  # noqa: SLF001 - librdkafka's name
    KafkaError._SSL: "check CONNTRAIL_KAFKA__SECURITY_PROTOCOL and __SSL_CA_LOCATION",  # noqa: SLF001 - the same
}
_FRESH_ERRORS: Final = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE}


class Refusals:
    """Takes librdkafka's errors (``error_cb``) and knows whether a broker refuses us for good."""

    def __init__(self) -> None:
        self._refusal = ""
        self._last = ""
        self._are_all_down = False

    def note(self, error: KafkaError) -> None:
        """Take an error in."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's name
            self._are_all_down = True
            return
        self._last = _words(error)
        if error.code() in _ADVICE:
            self._refusal = f"{self._last}: {_ADVICE[error.code()]}"

    @property
    def reason(self) -> str:
        """Why no broker lets us in, and what to check; empty while one still may."""
        return self._refusal if self._are_all_down else ""

    @property
    def last(self) -> str:
        """The last error of whatever kind, as far as librdkafka tells: it keeps closed connections to itself."""
        if self._last or not self._are_all_down:
            return self._last
        return "it ends every connection: is CONNTRAIL_KAFKA__SECURITY_PROTOCOL right?"


def find_topics(
    settings: KafkaSettings, client_id: str, patience_seconds: float = PATIENCE_SECONDS
) -> Mapping[str, Any]:
    """Metadata of every topic that we may see, by name.

    Raises BrokerError, one line that says what to check: at once when Kafka refuses us, else after the patience.
    """
    refusals = Refusals()
    configuration: dict[str, Any] = {
        **client_configuration(settings, client_id),
        "log_level": 0,
        "error_cb": refusals.note,
    }
    try:
        client = AdminClient(configuration)
    except (KafkaException, ValueError) as error:
        raise BrokerError(_fault_of(settings, _words(error.args[0]))) from error
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            topics: Mapping[str, Any] = client.list_topics(timeout=_ASK_SECONDS).topics
        except KafkaException as error:
            client.poll(0)
            if refusals.reason:
                raise BrokerError(f"Kafka at {settings.bootstrap_servers} refuses us: {refusals.reason}") from error
            if time.monotonic() > deadline:
                reason = refusals.last or _words(error.args[0])
                raise BrokerError(f"Kafka at {settings.bootstrap_servers} does not answer ({reason})") from error
        else:
            return topics


def find_partitions(client: Consumer | AdminClient, topic: str) -> set[int]:
    """Numbers of a topic's partitions, never none: one just made is waited for.

    Raises KafkaException when there is no such topic, or we may not see it, or no broker answers.
    """
    deadline = time.monotonic() + _FRESH_SECONDS
    while True:
        found = client.list_topics(topic, timeout=PATIENCE_SECONDS).topics[topic]
        if found.partitions and found.error is None:
            return set(found.partitions)
        error = found.error or KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        if error.code() not in _FRESH_ERRORS or time.monotonic() > deadline:
            raise KafkaException(error)
        time.sleep(_FRESH_PAUSE_SECONDS)


def _fault_of(settings: KafkaSettings, words: str) -> str:
    """Which setting librdkafka does not take."""
    if "ssl.ca.location" in words:
        return f"CONNTRAIL_KAFKA__SSL_CA_LOCATION={settings.ssl_ca_location}: no file with certificates in PEM form"
    return f"{words}: check the settings CONNTRAIL_KAFKA__…"


def _words(error: object) -> str:
    """Without the times that librdkafka adds, and on one line."""
    text = error.str() if isinstance(error, KafkaError) else str(error)
    return re.sub(r" \(after \d+ms in state [^)]*\)", "", " ".join(text.split())).rstrip(": ")
