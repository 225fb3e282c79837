import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.document import modules, page
from runtime.settings import Settings, load_settings

_SOURCES = [inspect.getsource(sys.modules[name]) for name in modules()]
_PAGE = Path(__file__).parents[3] / "docs/settings.md"


def _rows() -> dict[str, tuple[str, str]]:
    """Default and meaning by variable."""
    rows = {}
    for line in page(_SOURCES).splitlines():
        if line.startswith("| `CONNTRAIL_"):
            name, default, meaning = (cell.strip() for cell in line.strip("|").split(" | ", 2))
            rows[name.strip("`")] = (default.strip("`"), meaning)
    return rows


def _fields() -> dict[str, Any]:
    return {
        f"CONNTRAIL_{group.name}__{field.name}".upper(): field
        for group in msgspec.structs.fields(Settings)
        if isinstance(group.default, msgspec.Struct)
        for field in msgspec.structs.fields(type(group.default))
    }


def test_the_page_in_the_repository_is_the_one_that_the_settings_make() -> None:
    assert _PAGE.read_text(encoding="utf-8") == page(_SOURCES), "run: python -m runtime > docs/settings.md"


def test_every_setting_has_a_row_that_says_something() -> None:
    rows = _rows()
    assert rows.keys() == _fields().keys()
    assert [name for name, (_, meaning) in rows.items() if len(meaning) < 10] == []


@pytest.mark.parametrize("name", sorted(_fields()))
def test_a_default_as_the_page_writes_it_is_the_default(name: str) -> None:
    default, _ = _rows()[name]
    text = "" if default == "empty" else default
    assert load_settings({name: text}, {}) == Settings()


def test_a_setting_of_which_nothing_is_said_is_an_error_that_names_it() -> None:
    silent = [source.replace('    """Copies of each partition; 3 in production."""\n', "") for source in _SOURCES]
    assert silent != _SOURCES
    with pytest.raises(KeyError, match="replication"):
        page(silent)
