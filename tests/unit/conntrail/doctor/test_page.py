from pathlib import Path

from conntrail.doctor.page import CHECKS, page

_PAGE = Path(__file__).parents[4] / "docs/doctor.md"


def test_the_page_is_the_one_that_is_published() -> None:
    assert _PAGE.read_text(encoding="utf-8") == page()


def test_every_check_says_what_is_lost_and_what_to_do_once() -> None:
    names = [(check.area, check.name) for check in CHECKS]
    assert len(names) == len(set(names))
    assert all(check.lost and check.remedy for check in CHECKS)
