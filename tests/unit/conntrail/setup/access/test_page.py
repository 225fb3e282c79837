from pathlib import Path

from conntrail.setup.access.page import page
from runtime.settings import Settings

_PAGE = Path(__file__).parents[5] / "docs/roles.md"


def test_the_page_of_the_repository_is_that_of_the_roles() -> None:
    settings = Settings()
    wanted = page(settings.kafka.topic_prefix, settings.elasticsearch.namespace)
    assert _PAGE.read_text() == wanted, "renew it: python -m conntrail.setup.access > docs/roles.md"
