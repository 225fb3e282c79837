"""What several kinds of tests share: the stack of a session, and names of a test's own."""

import signal
import uuid
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.stack import RunningStack, running_stack

_MACHINE: Final = {"kernel": "network namespaces", "system": "network namespaces", "kubernetes": "API server"}
"""Folders of tests that share what a machine has once."""
_TOLD: Final = "told"


def pytest_configure() -> None:
    """SIGTERM ends a session as Ctrl-C does, so that what it started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whatever uses the stack carries its marker, so that ``-m 'not stack'`` needs no Java."""
    for item in items:
        if {"stack", "kafka", "elasticsearch"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)
    if hasattr(config, "workerinput"):
        # One of several processes: the longest group first, so that it does not begin when all others are done.
        items.sort(key=lambda item: _group(item.nodeid) not in _MACHINE.values())


class Scheduling(LoadScopeScheduling):
    """Of several processes each gets a whole file at a time, or all tests of what the machine has once."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """For ``pytest -n``."""
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted, wherever they ran."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == _TOLD and report.when == "call":
                terminalreporter.write_line(str(value))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a line in the summary of the session."""
    return lambda line: record_property(_TOLD, line)


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """Both servers, with stop and start of each; a test that stops one starts it again."""
    with running_stack() as running:
        yield running


@pytest.fixture(scope="session")
def kafka(stack: RunningStack) -> str:
    """Bootstrap servers."""
    return stack.kafka


@pytest.fixture(scope="session")
def elasticsearch(stack: RunningStack) -> str:
    """URL."""
    return stack.elasticsearch


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test has, so that tests share a broker without meeting."""
    return f"test-{uuid.uuid4().hex[:12]}."


def _group(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return _MACHINE.get(path.split("/")[1], path)
