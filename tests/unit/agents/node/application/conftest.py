import pytest

from agents.node.application.options import ApplicationOptions
from agents.node.application.table import ApplicationTable


@pytest.fixture
def table() -> ApplicationTable:
    return ApplicationTable(ApplicationOptions())
