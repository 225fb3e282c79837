"""Fixtures of tests that render the chart."""

from pathlib import Path

import pytest

from tests.support.chart_tools.build import built_helm, built_kustomize
from tests.support.go_program import built_or_skipped

_LACKING = "no chart to render"


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest) -> Path:
    """The program; the first test of a machine waits for its build."""
    return built_or_skipped(request, built_helm, _LACKING)


@pytest.fixture(scope="session")
def kustomize(request: pytest.FixtureRequest) -> Path:
    """The program; the first test of a machine waits for its build."""
    return built_or_skipped(request, built_kustomize, _LACKING)
