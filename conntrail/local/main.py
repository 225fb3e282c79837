"""Composition root of the local stack: brings Kafka and Elasticsearch up, down, and says how they are."""

import hashlib
import os
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.local.artifact.artifact import distribution, format_lock, java_archives, module_archives
from conntrail.local.artifact.reader import ArtifactCache, Progress, read_lock
from conntrail.local.elasticsearch.configuration import UNPRIVILEGED_USER
from conntrail.local.elasticsearch.configuration import program as elasticsearch_program
from conntrail.local.elasticsearch.reader import ElasticsearchProbe
from conntrail.local.elasticsearch.writer import add_plugins, prepare_elasticsearch, unpack
from conntrail.local.java.reader import find_java
from conntrail.local.kafka.configuration import program as kafka_program
from conntrail.local.kafka.reader import KafkaProbe
from conntrail.local.kafka.writer import prepare_kafka
from conntrail.local.log.excerpt import telling
from conntrail.local.log.reader import tail
from conntrail.local.port.reader import free_port, is_free, obstacle
from conntrail.local.process.program import Program
from conntrail.local.process.reader import identify, is_running, resident_bytes
from conntrail.local.process.writer import ProcessWriter
from conntrail.local.state.layout import Layout, cache_directory, default_data_directory
from conntrail.local.state.reader import closed_parent, read_state, require_ours
from conntrail.local.state.state import NAMES, Name, ServiceState, StackState
from conntrail.local.state.writer import held, make_root, wipe, write_state
from conntrail.local.status import ServiceStatus

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.1
_LOG_LINES = 300
_SHOWN_LINES = 12
Report = Callable[[str], None]


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError as error:
        raise CommandError("this user has no home: set HOME to a directory for data and downloads") from error


def _silent(_text: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What may differ between stacks."""

    data_directory: Path | None = None
    """None means the usual place of this user."""
    repository: str = ""
    """Base URL of the artifacts' repository; empty means Maven Central."""
    is_tied: bool = False
    """The servers end with the process that started them."""
    elasticsearch_settings: Mapping[str, object] = field(default_factory=dict)
    """Added to elasticsearch.yml."""
    elasticsearch_plugins: Sequence[Path] = ()
    """Directories of plugins that are added."""
    kafka_settings: Mapping[str, str] = field(default_factory=dict)
    """Added to server.properties; listeners are added to ours."""


class Stack:
    """One Kafka and one Elasticsearch below one data directory."""

    def __init__(self, options: StackOptions, report: Report = _silent) -> None:
        self._options = options
        self._report = report
        is_root = os.geteuid() == 0
        home = _home()
        default = default_data_directory(is_root, os.environ.get("XDG_DATA_HOME", ""), home)
        self.layout = Layout((options.data_directory or default).absolute())
        self._user = UNPRIVILEGED_USER if is_root else ""
        self._artifacts = read_lock()
        cache = cache_directory(os.environ.get("XDG_CACHE_HOME", ""), home)
        self._cache = ArtifactCache(cache, options.repository)
        self._processes = ProcessWriter(identify, options.is_tied)

    def missing_bytes(self) -> int:
        """How much is to be downloaded."""
        return sum(artifact.size_bytes for artifact in self._cache.missing(self._artifacts))

    def fetch(self, progress: Progress) -> None:
        """Download what is not cached. Raises CommandError when that fails."""
        self._cache.fetch(self._artifacts, progress)

    def renewed_lock(self) -> str:
        """New text of the lock file, from the repository."""
        return format_lock(self._cache.resolve())

    def up(self, kafka_port: int | None = None, elasticsearch_port: int | None = None) -> StackState:
        """Start what does not run and wait until both answer; artifacts must have been fetched.

        Raises CommandError; what this call started is stopped again then, also on Ctrl-C.
        """
        java = find_java()
        require_ours(self.layout)
        make_root(self.layout)
        self._require_open(java)
        with held(self.layout):
            state = self._assign_ports({"kafka": kafka_port, "elasticsearch": elasticsearch_port})
            stopped = [name for name in NAMES if not is_running(state.service(name).process)]
            with self._undone_on_failure(stopped):
                for name in stopped:
                    state = self._start(name, state, java)
                self._wait(state, NAMES)
            return state

    def down(self, is_wiped: bool = False) -> None:
        """Stop both; remove their data when asked."""
        if self.state() is None:
            return
        with held(self.layout):
            for name in NAMES:
                self._stop(name)
            if is_wiped:
                wipe(self.layout)

    def start(self, name: Name) -> None:
        """Start one server of a stack that was up, and wait until it answers."""
        with held(self.layout):
            state = self.require_state()
            if not is_running(state.service(name).process):
                state = self._start(name, state, find_java())
            self._wait(state, (name,))

    def stop(self, name: Name, is_killed: bool = False) -> None:
        """Stop one server: as an outage, with SIGKILL, or in order."""
        with held(self.layout):
            self._stop(name, is_killed)

    def state(self) -> StackState | None:
        """What is remembered; None when this directory holds no stack."""
        return read_state(self.layout)

    def require_state(self) -> StackState:
        """What is remembered. Raises CommandError when this directory holds no stack."""
        state = self.state()
        if state is None:
            raise CommandError(f"no stack in {self.layout.root}: start one with conntrail local up{self._option}")
        return state

    def status(self) -> list[ServiceStatus]:
        """How each server is now."""
        state = self.state()
        return [] if state is None else [self._status(name, state) for name in NAMES]

    def _status(self, name: Name, state: StackState) -> ServiceStatus:
        service = state.service(name)
        process = service.process if is_running(service.process) else None
        return ServiceStatus(
            name=name,
            is_running=process is not None,
            is_answering=process is not None and _probe(name, state)(),
            address=state.bootstrap_servers if name == "kafka" else state.hosts,
            pid=process.pid if process else None,
            resident_bytes=resident_bytes(process.pid) if process else 0,
            data=str(self.layout.service(name)),
            log=str(self.layout.log(name)),
        )

    @property
    def _option(self) -> str:
        """What names this stack to another command."""
        return f" --data-dir {shlex.quote(str(self.layout.root))}" if self._options.data_directory else ""

    def _require_open(self, java: Path) -> None:
        """The other user must reach its data and its Java."""
        if not self._user:
            return
        for path, remedy in ((self.layout.root, "choose another --data-dir"), (java, "set JAVA_HOME to another Java")):
            closed = closed_parent(path)
            if closed is not None:
                raise CommandError(
                    f"Elasticsearch refuses to run as root; {self._user}, whom it runs as instead, "
                    f"may not enter {closed}: {remedy}"
                )

    def _assign_ports(self, wanted: Mapping[Name, int | None]) -> StackState:
        """Ports as asked, else as before, else free ones; remembered at once."""
        before = self.state()
        taken = {port for port in wanted.values() if port is not None}
        if len(taken) == 1 and None not in wanted.values():
            raise CommandError(f"port {taken.pop()} is given to both: choose another --elasticsearch-port")
        services = {name: self._assign(name, wanted[name], before, taken) for name in NAMES}
        release = hashlib.sha256(format_lock(self._artifacts).encode()).hexdigest()
        if before is not None and before.release != release and self.layout.home.exists():
            self.layout.home.rename(self.layout.home.with_name(f"home.{before.release[:8]}"))
        state = StackState(services["kafka"], services["elasticsearch"], release)
        write_state(self.layout, state)
        return state

    def _assign(self, name: Name, wanted: int | None, before: StackState | None, taken: set[int]) -> ServiceState:
        service = before.service(name) if before else None
        if service is not None and is_running(service.process):
            if wanted not in (None, service.port):
                raise CommandError(f"{name} runs on port {service.port}: conntrail local down, then up with another")
            return service
        if wanted is not None and (reason := obstacle(wanted)):
            raise CommandError(f"port {wanted} {reason}: choose another --{name}-port")
        port = wanted or _kept_or_free(service.port if service else 0, taken)
        taken.add(port)
        internal = _kept_or_free(service.internal_port if service else 0, taken)
        taken.add(internal)
        return ServiceState(port, internal)

    def _start(self, name: Name, state: StackState, java: Path) -> StackState:
        self._report(f"starting {name}")
        try:
            program = self._prepare(name, state, java)
        except OSError as error:
            raise CommandError(
                f"{error.filename or self.layout.root}: {error.strerror}; see to that directory"
            ) from error
        process = self._processes.start(program)
        service = state.service(name)
        started = state.with_service(name, ServiceState(service.port, service.internal_port, process))
        write_state(self.layout, started)
        return started

    def _prepare(self, name: Name, state: StackState, java: Path) -> Program:
        service = state.service(name)
        self.layout.service(name).mkdir(exist_ok=True)
        if name == "kafka":
            jars = [self._cache.path(artifact) for artifact in java_archives(self._artifacts)]
            prepare_kafka(java, jars, self.layout, service, self._options.kafka_settings)
            return kafka_program(java, jars, self.layout)
        modules = {name: self._cache.path(found) for name, found in module_archives(self._artifacts).items()}
        unpack(self._cache.path(distribution(self._artifacts)), modules, self.layout)
        add_plugins(self._options.elasticsearch_plugins, self.layout)
        prepare_elasticsearch(self.layout, service, self._user, self._options.elasticsearch_settings)
        return elasticsearch_program(java, self.layout, self._user)

    def _wait(self, state: StackState, names: Sequence[Name]) -> None:
        waiting = {name: _probe(name, state) for name in names}
        deadline = time.monotonic() + _START_SECONDS
        while waiting:
            self._report(f"waiting for {' and '.join(waiting)}")
            for name, answers in list(waiting.items()):
                self._require_alive(name, state, deadline)
                if answers():
                    del waiting[name]
            if waiting:
                time.sleep(_POLL_SECONDS)

    def _require_alive(self, name: Name, state: StackState, deadline: float) -> None:
        process = state.service(name).process
        if process is not None and self._processes.is_running(process) and time.monotonic() < deadline:
            return
        what = "ended while starting" if time.monotonic() < deadline else f"does not answer in {_START_SECONDS:.0f} s"
        lines = "\n".join(f"  {line}" for line in telling(tail(self.layout.log(name), _LOG_LINES), _SHOWN_LINES))
        raise CommandError(
            f"{name} {what}; its last lines follow, all are in {self.layout.log(name)}; "
            f"if its data is damaged: conntrail local down --wipe{self._option}\n{lines}"
        )

    def _stop(self, name: Name, is_killed: bool = False) -> None:
        state = self.require_state()
        service = state.service(name)
        if service.process is not None:
            self._report(f"stopping {name}")
            if is_killed:
                self._processes.kill(service.process)
            else:
                self._processes.stop(service.process, _STOP_SECONDS)
        write_state(self.layout, state.with_service(name, ServiceState(service.port, service.internal_port)))

    @contextmanager
    def _undone_on_failure(self, names: Sequence[Name]) -> Iterator[None]:
        try:
            yield
        except BaseException:
            for name in names:
                self._stop(name)
            raise


def _kept_or_free(port: int, taken: set[int]) -> int:
    return port if port and port not in taken and is_free(port) else free_port(taken)


def _probe(name: Name, state: StackState) -> Callable[[], bool]:
    if name == "kafka":
        return KafkaProbe(state.bootstrap_servers).answers
    return ElasticsearchProbe(state.hosts).answers
