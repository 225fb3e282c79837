"""Writes Kafka's configuration and prepares its data directory."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.local.kafka.configuration import LOGGING, format_command, properties
from conntrail.local.process.program import LOCALE
from conntrail.local.state.layout import Layout
from conntrail.local.state.state import ServiceState

_PATIENCE_SECONDS = 120.0


def prepare_kafka(
    java: Path, jars: Sequence[Path], layout: Layout, service: ServiceState, extra: Mapping[str, str]
) -> None:
    """Make it ready to start. Raises CommandError when the data directory cannot be formatted."""
    configuration = layout.configuration("kafka")
    configuration.mkdir(parents=True, exist_ok=True)
    layout.temporary("kafka").mkdir(exist_ok=True)
    (configuration / "server.properties").write_text(properties(layout, service, extra), encoding="utf-8")
    (configuration / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
    if (layout.data("kafka") / "meta.properties").exists():
        return
    layout.data("kafka").mkdir(exist_ok=True)
    try:
        answer = subprocess.run(
            format_command(java, jars, layout),
            env={**os.environ, **LOCALE},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"Kafka took over {_PATIENCE_SECONDS:.0f} s to format its data: try again") from error
    if answer.returncode:
        last = (answer.stderr.strip() or answer.stdout.strip()).splitlines()[-1:]
        raise CommandError(f"Kafka cannot format {layout.data('kafka')}: {''.join(last)}")
