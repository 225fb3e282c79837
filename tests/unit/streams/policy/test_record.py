from typing import Any

import pytest

from streams.policy.compile import compile_policy
from streams.policy.record import policy_of
from tests.unit.streams.policy.builders import START


def record(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "api_version": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "namespace": "shop",
        "name": "p",
        "uid": "u",
        "generation": 3,
        "created_at_ns": START,
        "observed_at_ns": START + 1,
        "deleted_at_ns": None,
        "labels": {"team": "red"},
        "annotations": {"conntrail.io/staged": "true"},
        "spec_json": '{"podSelector": {}}',
    }
    return {**plain, **changes}


def test_a_policys_record_is_read_whole() -> None:
    source = policy_of(record(deleted_at_ns=START + 2))
    assert source is not None
    assert (source.spec, source.created_at_ns, source.observed_at_ns) == ({"podSelector": {}}, START, START + 1)
    assert source.deleted_at_ns == START + 2
    assert compile_policy(source).is_staged


@pytest.mark.parametrize(
    ("api_version", "kind"), [("v1", "Pod"), ("apps/v1", "Deployment"), ("example.org/v1", "NetworkPolicy")]
)
def test_other_kinds_are_no_policies(api_version: str, kind: str) -> None:
    assert policy_of(record(api_version=api_version, kind=kind)) is None


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"text"', "null"])
def test_a_spec_that_cannot_be_read_is_the_policys_fault(text: str) -> None:
    source = policy_of(record(spec_json=text))
    assert source is not None
    assert compile_policy(source).faults
