"""The page on fields says what the mappings say."""

from pathlib import Path

from streams.index.cardinality import CLASSIFIED, Band, bands
from streams.index.field import HEAD, TRAFFIC
from streams.index.page import page
from streams.index.template import fields_of

PAGE = Path(__file__).parents[4] / "docs" / "fields.md"


def test_the_page_is_as_the_code_makes_it() -> None:
    """Renew it by ``python -m streams.index > docs/fields.md``."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_field_that_is_classified_by_name_is_there() -> None:
    there = {path for fields in (HEAD, TRAFFIC, *fields_of().values()) for path in fields}
    assert not CLASSIFIED - there


def test_addresses_are_never_called_few() -> None:
    for fields in (HEAD, TRAFFIC, *fields_of().values()):
        told = bands(fields)
        assert not [path for path, kind in fields.items() if kind in ("ip", "flattened") and told[path] is Band.FEW]
