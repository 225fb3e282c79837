"""One run of the whole system on the lab, in which all happens that pages for people tell of."""

from collections.abc import Iterator

import pytest

from tests.support.eventful import eventful_run
from tests.support.kibana.asked import Asked
from tests.support.observed import Observed
from tests.support.stack import RunningStack


@pytest.fixture(scope="package")
def eventful(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """After it, with all results indexed."""
    with eventful_run(stack, tmp_path_factory.mktemp("eventful")) as seen:
        yield seen


@pytest.fixture(scope="package")
def asked(eventful: Observed) -> Asked:
    """Its indices, refreshed."""
    found = Asked(eventful.settings.elasticsearch.hosts, eventful.settings.elasticsearch.namespace)
    found.refresh()
    return found
