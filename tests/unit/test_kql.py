"""What tests say of KQL is said by Kibana's own parser, and a misspelt field does not pass."""

import pytest

from tests.support.kql.parser import Kql, KqlError

KQL = Kql({"source.ip": "ip", "event.action": "keyword", "source.kubernetes.labels": "flattened", "@timestamp": "date"})


def test_a_query_becomes_the_query_dsl_and_says_its_fields() -> None:
    (query,) = KQL.queries(['event.action : denied and source.ip : "10.0.0.0/8"'])
    assert query.fields == ("event.action", "source.ip")
    assert query.dsl["bool"]["filter"] == [
        {"bool": {"should": [{"match": {"event.action": "denied"}}], "minimum_should_match": 1}},
        {"bool": {"should": [{"match_phrase": {"source.ip": "10.0.0.0/8"}}], "minimum_should_match": 1}},
    ]


def test_names_with_wildcards_and_below_flattened_fields_are_known() -> None:
    KQL.queries(["source.* : 10.0.0.1", "source.kubernetes.labels.app : web", 'not "free text"', "source.ip : *"])


@pytest.mark.parametrize("text", ["event.acton : denied", "a : 1 or event.action : x", "labels.app : web"])
def test_a_field_that_no_index_has_is_refused(text: str) -> None:
    with pytest.raises(KqlError, match="no such field"):
        KQL.query(text)


def test_what_kibana_cannot_read_is_refused() -> None:
    with pytest.raises(KqlError, match="Expected"):
        KQL.query("event.action : (denied")
