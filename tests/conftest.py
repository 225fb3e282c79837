"""What several kinds of tests share: the stack of a session, and names of a test's own."""

import signal
import uuid
from collections.abc import Iterator

import pytest

from tests.support.stack import RunningStack, running_stack


def pytest_configure() -> None:
    """SIGTERM ends a session as Ctrl-C does, so that what it started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the stack carries its marker, so that ``-m 'not stack'`` needs no Java."""
    for item in items:
        if {"stack", "kafka", "elasticsearch"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


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
