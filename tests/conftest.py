"""What several kinds of tests share: the stack of a session, and names of a test's own."""

import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.continuous_integration import is_continuous_integration
from tests.support.stack import RunningStack, running_stack

_WHOLE: Final = ("tests/kubernetes/", "tests/system/")
"""Folders whose tests share what a machine should have once: an API server, a lab with its load."""
_LONGEST: Final = ("tests/system/", "tests/kernel/", "tests/kubernetes/")
"""What begins first, so that none of it begins when all else is done."""
_TOLD: Final = "told"
_EXAMPLES: Final = 60
"""Of a property that asks for no other number. Every run draws others, but for continuous integration."""


def pytest_configure() -> None:
    """SIGTERM ends a session as Ctrl-C does, so that what it started is stopped; no example has to be fast.

    Processes that tests start keep what they compile: without, each of hundreds compiles all that it loads.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    for number in (signal.SIGINT, signal.SIGTERM):  # which a shell in the background has its programs ignore
        signal.signal(number, signal.default_int_handler)
    is_fixed = is_continuous_integration()
    settings.register_profile("untimed", deadline=None, max_examples=_EXAMPLES, derandomize=is_fixed)
    settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whatever uses the stack carries its marker, so that ``-m 'not stack'`` needs no Java."""
    for item in items:
        if {"stack", "kafka", "elasticsearch"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))


class Scheduling(LoadScopeScheduling):
    """Of several processes each gets a whole file at a time, or all tests of a folder that shares something.

    ``make test`` gives each process named network namespaces of its own; with ``-n`` one has all tests of them.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if self.config.option.numprocesses and path.startswith(("tests/kernel/", "tests/system/")):
            return "network namespaces"
        return next((folder for folder in _WHOLE if path.startswith(folder)), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Of a session of several processes."""
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


def _place(nodeid: str) -> int:
    """Among the longest."""
    return next((place for place, start in enumerate(_LONGEST) if nodeid.startswith(start)), len(_LONGEST))
