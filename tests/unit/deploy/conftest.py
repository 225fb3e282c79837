"""The chart with nothing but its two addresses, rendered once."""

from pathlib import Path

import pytest

from tests.support.chart import Manifest, render
from tests.support.chart_tools.fixture import helm, kustomize

__all__ = ["helm", "kustomize"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the build of Helm where nothing is cached."""
    for item in items:
        if "tests/unit/deploy/" in str(item.path):
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def plain(helm: Path) -> list[Manifest]:
    """What is installed with no further values."""
    return render(helm, {})
