"""Each question of the page is asked of one run of the lab, and answered as its programs know it was."""

import pytest

from tests.support.cookbook import Answer, Elasticsearch, headings, questions
from tests.support.observed import Observed, is_root
from tests.system.cookbook import answers_of
from tests.system.cookbook_truth import EXPECTED, Truth

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
TITLES = [question.title for question in questions()]


@pytest.fixture(scope="module")
def answers(eventful: Observed) -> dict[str, Answer]:
    return answers_of(eventful)


@pytest.fixture(scope="module")
def truth(eventful: Observed) -> Truth:
    return Truth(eventful)


def test_every_heading_has_a_query_an_answer_and_something_to_hold_it_against() -> None:
    assert len(TITLES) >= 30
    assert headings() == TITLES
    assert set(TITLES) == EXPECTED.keys()
    assert [question.title for question in questions() if not question.answer] == []


@pytest.mark.parametrize("title", TITLES)
def test_the_answer_is_what_happened(title: str, answers: dict[str, Answer], truth: Truth) -> None:
    fault = EXPECTED[title].fault(answers[title], truth)
    assert not fault, f"{fault}; answer: {answers[title].rows[:10]}"


@pytest.mark.parametrize("title", TITLES)
def test_the_page_shows_the_columns_of_the_answer(title: str, answers: dict[str, Answer]) -> None:
    (question,) = [question for question in questions() if question.title == title]
    assert question.answer.split("\n")[0].split() == answers[title].columns


def test_no_query_names_a_field_that_is_not_there(eventful: Observed) -> None:
    """ES|QL refuses such a query by itself; KQL finds nothing."""
    settings = eventful.settings.elasticsearch
    asked = Elasticsearch(settings.hosts, settings.namespace)
    faults = {q.title: q.fields - asked.fields(q) for q in questions() if q.fields}
    assert len(faults) >= 5
    assert not {title: missing for title, missing in faults.items() if missing}
