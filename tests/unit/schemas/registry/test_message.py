import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.settings import SettingsError
from schemas.errors import DecodeError, RegistryError, SchemaError
from schemas.registry.message import (
    Address,
    Answer,
    lookup,
    parse_addresses,
    parse_id,
    parse_schema,
    registration,
    schema_by_id,
    subject_of,
)

_RECORD = {"type": "record", "name": "A", "fields": [{"name": "a", "type": "long"}]}


def _answer(document: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode())


def test_urls_become_addresses() -> None:
    assert parse_addresses("") == ()
    assert parse_addresses("http://a:8081, https://[::1]/base/") == (
        Address(is_encrypted=False, host="a", port=8081, path=""),
        Address(is_encrypted=True, host="::1", port=443, path="/base"),
    )


@pytest.mark.parametrize("url", ["registry:8081", "ftp://registry", "http://", "http://a:port", "http://[::1"])
def test_what_is_no_url_is_named_by_its_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="CONNTRAIL_SCHEMA_REGISTRY__URL: expected"):
        parse_addresses(url)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="CONNTRAIL_SCHEMA_REGISTRY__USERNAME") as caught:
        parse_addresses("https://user:secret@registry")
    assert "secret" not in str(caught.value)


def test_questions_are_those_of_the_interface() -> None:
    subject = subject_of("conntrail.flows")
    assert subject == "conntrail.flows-value"
    assert (lookup(subject, "{}").method, lookup(subject, "{}").path) == ("POST", "/subjects/conntrail.flows-value")
    assert registration("a/b", "{}").path == "/subjects/a%2Fb/versions"
    assert json.loads(registration(subject, "{}").body or b"") == {"schema": "{}"}
    assert schema_by_id(7).path == "/schemas/ids/7"


def test_an_id_is_read() -> None:
    assert parse_id(_answer({"id": 12, "version": 1}), "s") == 12


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (_answer({"error_code": 401, "message": "no"}, 401), "CONNTRAIL_SCHEMA_REGISTRY__USERNAME"),
        (_answer({"error_code": 409, "message": "incompatible"}, 409), "incompatible.*compatibility level"),
        (_answer({"error_code": 42201, "message": "two\nlines"}, 422), "422: two lines"),
        (Answer(404, b"<html>"), "CONNTRAIL_SCHEMA_REGISTRY__URL"),
        (Answer(200, b"<html>"), "no schema registry"),
        (Answer(302, b""), "302"),
        (_answer({"id": True}), "gives no id"),
        (_answer({"id": 2**31}), "gives no id"),
        (_answer([]), "no schema registry"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(answer: Answer, advice: str) -> None:
    with pytest.raises(RegistryError, match=advice) as caught:
        parse_id(answer, "conntrail.flows-value")
    assert "\n" not in str(caught.value)


def test_a_schema_is_read() -> None:
    assert parse_schema(_answer({"schema": json.dumps(_RECORD)}), 7)["name"] == "A"


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (_answer({"error_code": 40403}, 404), "no schema of id 7"),
        (_answer({"schema": "message A {}", "schemaType": "PROTOBUF"}), "no Avro"),
        (_answer({"schema": "{"}), "of no use"),
        (_answer({"schema": 3}), "of no use"),
        (_answer({}), "of no use"),
        (_answer({"schema": '{"type": "record"}'}), "of no use"),
        (_answer({"schema": json.dumps({**_RECORD, "fields": [{"name": "a", "type": "Missing"}]})}), "of no use"),
        (_answer({"schema": '"long"'}), "no record"),
    ],
)
def test_a_schema_that_is_of_no_use_is_a_fault_of_the_record(answer: Answer, complaint: str) -> None:
    with pytest.raises(DecodeError, match=complaint):
        parse_schema(answer, 7)


def test_a_refused_question_for_a_schema_is_no_fault_of_the_record() -> None:
    with pytest.raises(RegistryError):
        parse_schema(_answer({"message": "no"}, 403), 7)


scraps = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["record", "name", "type", "fields", "array", "long"])
)
documents = st.recursive(
    scraps, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scraps.map(str), inner, max_size=4)
)


@given(st.integers(100, 599), documents, st.binary(max_size=50))
def test_whatever_is_answered_is_an_answer_or_one_of_our_errors(status: int, document: object, tail: bytes) -> None:
    schema = json.dumps({"schema": json.dumps(document)}).encode()
    for body in (json.dumps(document).encode(), schema, schema + tail):
        for parse in (parse_id, parse_schema):
            with suppress(SchemaError):
                parse(Answer(status, body), 1)  # type: ignore[operator]
