from collections.abc import Iterator

import pytest

from tests.support.alerts import AlertTopics, alert_topics


@pytest.fixture
def topics(kafka: str) -> Iterator[AlertTopics]:
    with alert_topics(kafka) as made:
        yield made
