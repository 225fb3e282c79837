"""A real Kafka and Elasticsearch for a test session, started by the same code as ``conntrail local``."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.local.main import Stack, StackOptions
from conntrail.local.state.state import Name


class RunningStack:
    """Both servers, reachable, with outages on demand."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        state = stack.require_state()
        self.kafka = state.bootstrap_servers
        self.elasticsearch = state.hosts

    def stop(self, name: Name, *, is_killed: bool = False) -> None:
        """Begin an outage; ``is_killed`` by SIGKILL."""
        self._stack.stop(name, is_killed)

    def start(self, name: Name) -> None:
        """End an outage: returns when the server answers, on the same port, with its data."""
        self._stack.start(name)

    def environment(self) -> dict[str, str]:
        """Settings for processes that a test starts."""
        return dict(self._stack.require_state().environment())


@contextmanager
def running_stack(
    elasticsearch_settings: Mapping[str, object] | None = None,
    kafka_settings: Mapping[str, str] | None = None,
    elasticsearch_plugins: Sequence[Path] = (),
) -> Iterator[RunningStack]:
    """A stack in a directory of its own, gone afterwards, however the tests end."""
    # Not pytest's directories: they are closed to the user that Elasticsearch runs as when we are root.
    directory = Path(tempfile.mkdtemp(prefix="conntrail-stack-"))
    directory.chmod(0o755)
    options = StackOptions(
        data_directory=directory / "data",
        is_tied=True,
        elasticsearch_settings=elasticsearch_settings or {},
        elasticsearch_plugins=elasticsearch_plugins,
        kafka_settings=kafka_settings or {},
    )
    stack = Stack(options)
    try:
        stack.fetch(lambda _count: None)
        _start(stack)
        yield RunningStack(stack)
    finally:
        stack.down(is_wiped=True)
        shutil.rmtree(directory, ignore_errors=True)


def _start(stack: Stack) -> None:
    """A port may be taken between its choice and its use, as by a stack that starts beside this one."""
    try:
        stack.up()
    except CommandError as error:
        if "in use" not in str(error):
            raise
        stack.down(is_wiped=True)
        stack.up()
