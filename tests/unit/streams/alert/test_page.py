"""The page on rules says what rules can say."""

from pathlib import Path

from streams.alert.rule.builtin import builtin_files
from streams.alert.rule.page import page
from streams.alert.rule.parse import merged, parse_rules

PAGE = Path(__file__).parents[4] / "docs" / "alert-rules.md"


def test_the_page_is_as_the_code_makes_it() -> None:
    """Renew it by ``python -m streams.alert.rule > docs/alert-rules.md``."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_rule_that_the_page_shows_is_one() -> None:
    example = page().split("```yaml\n")[1].split("```")[0]
    parsed = merged([builtin_files(), parse_rules(example, "page")])
    assert parsed.faults == ()
    assert any(rule.id == "too-many-denials" for rule in parsed.rules)
