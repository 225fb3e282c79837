"""What a process tells of itself: logs, always on standard error, and where it listens.

Logs are for people on a terminal, and one JSON object a line elsewhere.
"""

import logging
import sys
from pathlib import Path

import structlog

from runtime.settings import LogSettings

_CHATTY = ("aiokafka", "elastic_transport", "faust", "kafka", "mode")
"""Libraries whose information is of interest to their own developers."""


def configure_logs(settings: LogSettings) -> None:
    """Route our logs and those of libraries through one renderer."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    is_console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if is_console:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(formatter)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    root = logging.getLogger()
    root.handlers = [stream]
    root.setLevel(level)


def write_address(path: str, address: str) -> None:
    """Tell where we listen by a file that is there as a whole or not at all."""
    fresh = Path(f"{path}.fresh")
    fresh.write_text(f"{address}\n", encoding="utf-8")
    fresh.replace(path)
