"""How the local Elasticsearch runs: one node, small, without users, on loopback only."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from conntrail.local.process.program import LOCALE, NO_COUNTERS, Program
from conntrail.local.state.layout import Layout
from conntrail.local.state.state import HOST, ServiceState

UNPRIVILEGED_USER = "nobody"
"""Whom Elasticsearch runs as when we are root: it refuses to be root itself."""
# The distribution's own options with the collector that needs least memory, and without jdk.incubator.vector,
# which small runtimes lack.
MACHINE_OPTIONS = """\
-XX:+UseSerialGC
-Djava.io.tmpdir=${ES_TMPDIR}
-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1
-XX:+ExitOnOutOfMemoryError
"""
LOGGING = """\
status = error
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}] %p %m (%c{1})%n
"""


def settings(layout: Layout, service: ServiceState, extra: Mapping[str, object]) -> str:
    """The text of elasticsearch.yml; JSON is YAML."""
    values: dict[str, object] = {
        "cluster.name": "conntrail-local",
        "node.name": "local",
        "discovery.type": "single-node",
        "http.host": HOST,
        "http.port": service.port,
        "transport.host": HOST,
        "transport.port": service.internal_port,
        "path.data": str(layout.data("elasticsearch")),
        "path.logs": str(layout.temporary("elasticsearch")),
        "xpack.security.enabled": False,
        # A nearly full disk of a developer must not make indices read-only.
        "cluster.routing.allocation.disk.threshold_enabled": False,
        **extra,
    }
    return msgspec.json.format(msgspec.json.encode(values), indent=2).decode() + "\n"


def program(java: Path, layout: Layout, user: str) -> Program:
    """The server, below its launcher: when the launcher ends, so does the server."""
    return Program(
        name="Elasticsearch",
        command=[str(layout.home / "bin/elasticsearch")],
        environment={
            **LOCALE,
            "ES_JAVA_HOME": str(java.parent.parent),
            "ES_PATH_CONF": str(layout.configuration("elasticsearch")),
            "ES_TMPDIR": str(layout.temporary("elasticsearch")),
            # The first compiler alone: half the CPU of a start, which on a small machine everything else waits for.
            "ES_JAVA_OPTS": f"-Xms512m -Xmx512m -XX:TieredStopAtLevel=1 {NO_COUNTERS}",
            "CLI_JAVA_OPTS": f"-Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC {NO_COUNTERS}",
            "HOME": str(layout.temporary("elasticsearch")),
        },
        directory=layout.service("elasticsearch"),
        log=layout.log("elasticsearch"),
        user=user,
    )
