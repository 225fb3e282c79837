"""Composition root of a worker: builds the stages that were asked for and runs them as Faust applications."""

import fcntl
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, NoReturn

import structlog
from mode import Worker

from runtime.broker.reader import find_topics
from runtime.kafka import BrokerError
from runtime.server import StatusServer
from runtime.settings import KafkaSettings, Settings, SettingsError
from streams.errors import StreamError
from streams.stage.main import Built, Process

STAGES: Final = ("flows", "exchanges", "denials", "alerts", "index", "subscriptions", "deliveries")
"""Each is built by streams/stage/<name>/main.py."""
_log = structlog.get_logger()


def run(settings: Settings, stages: list[str], is_check: bool) -> None:
    """Run the stages until SIGTERM. Raises SettingsError or StreamError when they cannot be started or go on."""
    chosen = stages or list(STAGES)
    unknown = [stage for stage in chosen if stage not in STAGES]
    if unknown:
        raise SettingsError(f"no stage is called {unknown[0]!r}; there are {', '.join(STAGES)}")
    process = Process(settings)
    built = [_builder(stage)(process) for stage in dict.fromkeys(chosen)]
    if not is_check:
        _run(process, built)


def _builder(stage: str) -> Callable[[Process], Built]:
    """Loaded when asked for: Elasticsearch's client costs 76 MiB, which a worker of other stages need not carry."""
    builder: Callable[[Process], Built] = import_module(f"streams.stage.{stage}.main").build
    return builder


def _run(process: Process, stages: Sequence[Built]) -> None:
    """Start everything and stay until the process is told to stop."""
    signal.signal(signal.SIGTERM, _leave)  # until Faust's loop takes it over
    lock = _take_identity(process.group(process.identity))
    _log.info("connecting to Kafka", servers=process.settings.kafka.bootstrap_servers)
    _require_topics(process.settings.kafka, process.topics)
    process.start()
    server = StatusServer(process.settings.http, process.registry, lambda: _faults(stages), lambda: _unready(stages))
    try:
        server.start()
    except OSError as error:
        raise StreamError(f"CONNTRAIL_HTTP__ADDRESS={process.settings.http.address}: {error}") from error
    applications = [stage.application for stage in stages]
    worker = Worker(*applications, override_logging=False, quiet=True, loglevel="WARNING", daemon=True)
    try:
        _execute(worker, applications)
    finally:
        lock.close()
        process.scratch.cleanup()
    for fault in _faults(stages):
        raise StreamError(f"stopped: {fault}")


def _faults(stages: Sequence[Built]) -> Iterable[str]:
    failures = [stage.running.failure for stage in stages]
    return [str(failure) for failure in failures if failure is not None][:1]


def _unready(stages: Sequence[Built]) -> Iterable[str]:
    yield from _faults(stages)
    for stage in stages:
        if not stage.running.is_assigned:
            yield "Kafka has not assigned partitions yet"


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


def _execute(worker: Worker, applications: Sequence[Any]) -> None:
    try:
        worker.execute_from_commandline()
    except SystemExit as error:
        if error.code:
            crashed = [app.crash_reason for app in applications if app.crash_reason]
            raise StreamError(f"stopped: {crashed[0]}" if crashed else "stopped by an error, see the log") from error


def _take_identity(name: str) -> IO[str]:
    """Hold the static member's name on this machine; Kafka would silently fence whoever had it before."""
    path = Path(tempfile.gettempdir()) / f"{name}.lock"
    try:
        handle = path.open("a")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StreamError("a worker with this id runs on this machine already: give another one with --id") from error
    except OSError as error:
        raise StreamError(f"{path}: {error.strerror}: remove it, or give the worker another id with --id") from error
    return handle


def _require_topics(settings: KafkaSettings, names: set[str]) -> None:
    """Faust hangs on a topic that is not there, so look first."""
    try:
        there = find_topics(settings, "conntrail-worker")
    except BrokerError as error:
        raise StreamError(str(error)) from error
    missing = sorted(names - set(there))
    if missing:
        raise StreamError(f"topic {missing[0]} does not exist, or we may not see it: run conntrail setup")
