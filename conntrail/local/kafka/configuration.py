"""How the local Kafka runs: one node, broker and controller in one (KRaft), small."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from conntrail.local.process.program import LOCALE, NO_COUNTERS, Program
from conntrail.local.state.layout import Layout
from conntrail.local.state.state import HOST, ServiceState

# Sixteen bytes in base64; fixed, since a data directory holds one cluster only.
CLUSTER_ID = "Y29ubnRyYWlsLWxvY2FsIQ"
# Starts in half the time without the second compiler, and a broker mostly moves bytes.
_MACHINE = ("-Xms128m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", NO_COUNTERS)
_LAST_ASCII = 0x7E
_BACKSLASH = 0x5C
_LISTS = ("listeners", "advertised.listeners", "listener.security.protocol.map")
LOGGING = """\
status = error
rootLogger.level = info
rootLogger.appenderRefs = console
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}] %p %m (%c{1})%n
"""


def properties(layout: Layout, service: ServiceState, extra: Mapping[str, str]) -> str:
    """The text of server.properties; ``extra`` adds to ours where ours is a list of listeners, else replaces it."""
    values = {
        "process.roles": "broker,controller",
        "node.id": "1",
        # Static voters: the controller's port may be another at the next start.
        "controller.quorum.voters": f"1@{HOST}:{service.internal_port}",
        "listeners": f"PLAINTEXT://{HOST}:{service.port},CONTROLLER://{HOST}:{service.internal_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{service.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(layout.data("kafka")),
        # A misspelt topic is an error at once, not a topic of one partition.
        "auto.create.topics.enable": "false",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # The default of 128 MiB would take a third of the heap.
        "log.cleaner.dedupe.buffer.size": str(16 << 20),
    }
    values |= {name: f"{values[name]},{text}" if name in _LISTS else text for name, text in extra.items()}
    return "".join(f"{name}={_escaped(value)}\n" for name, value in values.items())


def _escaped(value: str) -> str:
    """As java.util.Properties reads it: Latin-1, with backslashes as escapes."""
    letters = (f"\\u{unit:04x}" if unit > _LAST_ASCII or unit == _BACKSLASH else chr(unit) for unit in _units(value))
    return "".join(letters)


def _units(value: str) -> Sequence[int]:
    data = value.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2)]


def format_command(java: Path, jars: Sequence[Path], layout: Layout) -> list[str]:
    """Prepares an empty data directory."""
    tool = ["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--ignore-formatted"]
    return [*_java(java, jars, layout), *tool, "--config", str(_properties_path(layout))]


def program(java: Path, jars: Sequence[Path], layout: Layout) -> Program:
    """The broker."""
    return Program(
        name="Kafka",
        command=[*_java(java, jars, layout), "kafka.Kafka", str(_properties_path(layout))],
        environment=dict(LOCALE),
        directory=layout.service("kafka"),
        log=layout.log("kafka"),
    )


def _java(java: Path, jars: Sequence[Path], layout: Layout) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={(layout.configuration('kafka') / 'log4j2.properties').as_uri()}"
    # Libraries of codecs are unpacked there.
    temporary = f"-Djava.io.tmpdir={layout.temporary('kafka')}"
    return [str(java), *_MACHINE, temporary, logging, "-cp", ":".join(map(str, jars))]


def _properties_path(layout: Layout) -> Path:
    return layout.configuration("kafka") / "server.properties"
