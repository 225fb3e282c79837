"""Fixtures of tests that render the chart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chart_tools.build import built_helm, built_kustomize
from tests.support.continuous_integration import is_continuous_integration
from tests.support.go_program import BuildError, Progress


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest) -> Path:
    """The program; the first test of a machine waits for its build."""
    return _found(request, built_helm)


@pytest.fixture(scope="session")
def kustomize(request: pytest.FixtureRequest) -> Path:
    """The program; the first test of a machine waits for its build."""
    return _found(request, built_kustomize)


def _found(request: pytest.FixtureRequest, build: Callable[[Progress], Path]) -> Path:
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    try:
        return build(reporter.write_line if reporter else print)
    except BuildError as error:
        if is_continuous_integration():
            raise
        pytest.skip(f"no chart to render: {error}")
