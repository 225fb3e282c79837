from conntrail.observe.last_word import LastWord
from schemas.topic import DNS, FLOWS
from streams.index.documents import document_of
from tests.unit.streams.index.builders import AT_NS, dns, flow


def test_what_is_remembered_of_spans_is_bounded_and_of_what_is_told_once_nothing() -> None:
    words = LastWord(most=10)
    for number in range(1000):
        record = flow("a", 2, replaces=True, timestamp_ns=AT_NS + number)
        assert words.take(document_of(FLOWS, record, "default")) is not None
        assert words.take(document_of(DNS, {**dns(), "id": f"{number}"}, "default")) is not None
    assert len(words._latest) == 10


def test_what_has_one_identity_in_two_datasets_is_two_documents() -> None:
    words = LastWord()
    asked = words.take(document_of(DNS, {**dns(), "id": "a"}, "default"))
    begun = words.take(document_of(FLOWS, flow("a"), "default"))
    assert asked is not None
    assert begun is not None
    assert asked.name != begun.name
