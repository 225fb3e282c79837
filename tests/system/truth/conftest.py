"""One run of the whole system on the lab, held against what the lab knows to be true."""

from collections.abc import Iterator

import pytest

from tests.support.observed import Observed, observed
from tests.support.stack import RunningStack

TRAFFIC_SECONDS = 25


@pytest.fixture(scope="package")
def run(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """After its traffic, with all results indexed."""
    with observed(stack, tmp_path_factory.mktemp("system")) as everything:
        everything.run_traffic(TRAFFIC_SECONDS)
        yield everything
