"""Follows how many partitions a topic has, in a thread of its own, since the question blocks while Kafka is away."""

import threading

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

_ANSWER_SECONDS = 5.0
_ASK_AGAIN_SECONDS = 1.0
_FOLLOW_SECONDS = 30.0
_log = structlog.get_logger()


class PartitionReader:
    """Asks Kafka for a topic's partitions until it knows, and again every half minute."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._partitions = 0
        self._fault = "Kafka has not answered yet"

    @property
    def partitions(self) -> int:
        """Partitions of the topic; 0 while they are not known or the topic is missing."""
        return self._partitions

    @property
    def fault(self) -> str:
        """Why the number is not known or not fresh; empty when all is well."""
        return self._fault

    def start(self, producer: Producer) -> None:
        """Begin to ask, through the connection of ``producer``."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._follow, args=(producer, self._stopping), name="partitions", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; does not wait for an answer that is under way."""
        self._stopping.set()

    def _follow(self, producer: Producer, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._ask(producer)
            stopping.wait(_FOLLOW_SECONDS if not self._fault else _ASK_AGAIN_SECONDS)

    def _ask(self, producer: Producer) -> None:
        try:
            topic = producer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic]
        except KafkaException as error:
            # The last known number stands: an outage does not change a topic.
            self._note(self._partitions, f"Kafka does not answer: {error.args[0].str()}")
            return
        if topic.error is None:
            self._note(len(topic.partitions), "")
        elif topic.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            self._note(0, f"topic {self._topic} does not exist: run `conntrail setup`")
        else:
            self._note(0, f"topic {self._topic}: {topic.error.str()}")

    def _note(self, partitions: int, fault: str) -> None:
        if fault and fault != self._fault:
            _log.warning(fault)
        if partitions and partitions != self._partitions:
            _log.info("topic found", topic=self._topic, partitions=partitions)
        self._partitions, self._fault = partitions, fault
