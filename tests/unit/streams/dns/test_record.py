from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.dns.record import KIND, action_of
from streams.exchange.cut import Cut
from streams.exchange.evaluate import evaluate_part
from streams.exchange.record import Origin
from streams.exchange.report import Reports
from streams.policy.knowledge import Names
from streams.policy.object import PolicyObject
from streams.policy.timeline import PolicyTimeline
from tests.support.objects import SECOND
from tests.support.parts import batch, part
from tests.unit.streams.exchange.builders import DIRECTORY, FAMILIES, asked

NAMES = Names(DIRECTORY, PolicyTimeline())
CODEC = SingleObjectCodec(read_schema("dns"))
Row = dict[str, Any]


def records(*rows: Row, names: Names = NAMES, **facts: Any) -> list[tuple[str, Row]]:
    """As whoever reads the topic gets them."""
    of = batch("node1", **facts)
    kept = evaluate_part(KIND.prepare(part(of, rows, schema="dns_exchange").rows), Reports(), DIRECTORY).rows
    made = KIND.records(kept, names, Origin("test", of))
    return [(key, CODEC.decode(CODEC.encode(record))) for key, record in made]


def only(pattern: str, observed: int = 0) -> Names:
    """What lets ``client`` ask for nothing but names like this."""
    ports = {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": pattern}]}}
    spec = {"endpointSelector": {}, "egress": [{"toPorts": [ports]}]}
    policies = PolicyTimeline()
    policies.apply(
        PolicyObject(
            "cilium.io/v2", "CiliumNetworkPolicy", "shop", "p", "uid-p", spec, observed_at_ns=observed * SECOND
        )
    )
    return Names(DIRECTORY, policies)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_ends_and_the_service_that_was_dialled_are_named(family: str) -> None:
    of = FAMILIES[family]
    row = asked(of["client"], of["server"], of["service"], dialled_port=80, protocol=6)
    [(key, record)] = records(row)
    assert key == "shop/Deployment/client"
    assert record["source"]["kubernetes"]["pod"]["name"] == "client"
    assert record["destination"]["kubernetes"]["node"]["name"] == "node2"
    service = {"name": "server", "namespace": "shop", "ip": of["service"], "port": 80}
    assert record["destination"]["service"] == service
    assert record["network"] == {"transport": "tcp", "type": family, "protocol": "dns", "direction": "internal"}
    assert record["observer"] == {"name": "node1", "coverage": "complete"}
    assert (record["timestamp_ns"], record["count"]) == (10 * SECOND, 10)


def test_a_client_outside_is_known_by_its_address() -> None:
    [(key, record)] = records(asked("203.0.113.9", "10.0.2.8"))
    assert (key, record["source"]["kubernetes"]) == ("203.0.113.9", None)
    assert record["network"]["direction"] == "inbound"


@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [
        ("NOERROR", "answered", None),
        ("NXDOMAIN", "answered", None),
        ("SERVFAIL", "failed", "SERVFAIL from 10.0.2.8"),
        ("REFUSED", "failed", "REFUSED from 10.0.2.8"),
        ("TIMEOUT", "timeout", "no answer from 10.0.2.8"),
    ],
)
def test_the_action_follows_the_answer(code: str, action: str, reason: str | None) -> None:
    [(_, record)] = records(asked("10.0.1.7", "10.0.2.8", response_code=code))
    assert (record["event"]["action"], record["event"]["reason"]) == (action, reason)
    assert action_of(code) == action


@pytest.mark.parametrize("family", FAMILIES)
def test_a_query_is_judged_by_the_name_that_it_asks_for(family: str) -> None:
    of = FAMILIES[family]
    [(_, record)] = records(asked(of["client"], of["server"]), names=only("*.example"))
    assert (record["policy"]["verdict"], record["policy"]["drift"]) == ("allow", False)
    assert record["policy"]["egress"]["policies"] == ["CiliumNetworkPolicy:shop/p:rule=0:allow"]
    assert record["rule"] == {
        "name": "shop/p", "id": "0", "ruleset": "CiliumNetworkPolicy", "category": "egress", "uuid": "uid-p",
    }  # fmt: skip
    assert record["event"]["reason"] is None


DENIAL = "egress isolated by CiliumNetworkPolicy shop/p, none of whose rules allows it"


@pytest.mark.parametrize(
    ("code", "is_drift", "reason"),
    [
        ("REFUSED", False, f"REFUSED from 10.0.2.8; {DENIAL}"),
        ("NXDOMAIN", False, f"NXDOMAIN from 10.0.2.8; {DENIAL}"),
        ("TIMEOUT", False, f"no answer from 10.0.2.8; {DENIAL}"),
        ("NOERROR", True, f"went through, though {DENIAL}"),
        ("SERVFAIL", True, f"went through, though {DENIAL}"),
    ],
)
def test_what_became_of_a_denied_query_is_held_against_the_denial(code: str, is_drift: bool, reason: str) -> None:
    [(_, record)] = records(asked("10.0.1.7", "10.0.2.8", response_code=code), names=only("*.other"))
    assert (record["policy"]["verdict"], record["policy"]["drift"]) == ("deny", is_drift)
    assert record["policy"]["denied_by"] == ["CiliumNetworkPolicy:shop/p:rule=-1:deny"]
    assert record["event"]["reason"] == reason


def test_a_refusal_that_no_policy_explains_is_the_servers() -> None:
    [(_, record)] = records(asked("10.0.1.7", "10.0.2.8", response_code="REFUSED"), names=only("*.example"))
    assert (record["event"]["reason"], record["policy"]["drift"]) == ("REFUSED from 10.0.2.8", False)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("code", "answer"), [("NOERROR", None), ("TIMEOUT", "no answer"), ("REFUSED", "REFUSED")])
def test_of_a_service_that_nobody_is_known_behind_no_denial_is_claimed(
    family: str, code: str, answer: str | None
) -> None:
    of = FAMILIES[family]
    row = asked(of["client"], of["service"], server_port=80, dialled_port=80, protocol=6, response_code=code)
    [(_, record)] = records(row, names=only("*.other"))
    assert record["destination"]["service"]["name"] == "server"
    assert (record["policy"]["verdict"], record["policy"]["drift"]) == ("unknown", False)
    assert (record["policy"]["denied_by"], record["rule"]) == ([], None)
    reason = f"{answer} from {of['service']}; who answers for the Service is not known; of its own address: {DENIAL}"
    assert record["event"]["reason"] == (reason if answer else None)


def test_close_to_a_change_of_policies_no_contradiction_is_claimed() -> None:
    [(_, record)] = records(asked("10.0.1.7", "10.0.2.8"), names=only("*.other", observed=4))
    assert (record["policy"]["verdict"], record["policy"]["drift"]) == ("deny", False)


def test_without_policies_there_is_no_verdict_and_no_rule() -> None:
    [(_, record)] = records(asked("10.0.1.7", "10.0.2.8"))
    assert (record["policy"]["verdict"], record["rule"]) == ("none", None)


def test_answers_and_their_figures_are_told() -> None:
    row = asked(
        "10.0.1.7", "10.0.2.8", answers=["203.0.113.9"], time_to_live_seconds=30, truncated=2, latency_us=[900, 1100],
        timed=2, latency_sum_us=2000, latency_max_us=1100,
    )  # fmt: skip
    [(_, record)] = records(row)
    assert record["dns"] == {
        "name": "a.example", "question_type": "A", "response_code": "NOERROR", "answers": ["203.0.113.9"],
        "time_to_live_seconds": 30, "truncated": 2,
    }  # fmt: skip
    assert record["latency"] == {"mean_us": 1000, "p50_us": 900, "p95_us": 1100, "max_us": 1100}
    assert record["event"]["duration_ns"] == SECOND - 1


def test_a_batch_that_is_read_twice_gives_the_same_records_and_others_give_others() -> None:
    rows = [asked("10.0.1.7", "10.0.2.8"), asked("10.0.1.7", "10.0.2.8", name="b.example")]
    assert records(*rows) == records(*rows)
    ids = {record["id"] for facts in ({}, {"boot": "other"}) for _, record in records(*rows, **facts)}
    assert len(ids) == 4


def test_what_was_not_shown_is_a_record_of_its_own() -> None:
    of = batch("node1", lost={"dns_cut": 40})
    key, record = KIND.cut(Origin("test", of), Cut(40, "40 over the node's rate limit"))
    decoded = CODEC.decode(CODEC.encode(record))
    assert key == "node1"
    assert decoded["event"] == {
        "start_ns": 0, "end_ns": 10 * SECOND, "duration_ns": 10 * SECOND, "action": "cut",
        "reason": "40 over the node's rate limit",
    }  # fmt: skip
    assert (decoded["count"], decoded["source"]["ip"], decoded["network"]["protocol"]) == (40, "", "dns")
    assert (decoded["policy"]["verdict"], decoded["rule"]) == ("none", None)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_an_agent_counted_without_names_is_cut_and_not_judged(family: str) -> None:
    row = asked(FAMILIES[family]["client"], "::", server_port=0, dialled_port=0, name="", type="", response_code="")
    [(key, record)] = records(row, names=only("*.other"))
    assert (key, record["count"]) == ("shop/Deployment/client", 10)
    reason = "10 beyond what the agent's tables hold"
    assert (record["event"]["action"], record["event"]["reason"]) == ("cut", reason)
    assert (record["policy"]["verdict"], record["policy"]["drift"], record["rule"]) == ("none", False, None)
    nobody = {"ip": "", "port": 0, "kubernetes": None, "service": None}
    assert {name: record["destination"][name] for name in nobody} == nobody
    assert record["network"] == {"transport": "", "type": "", "protocol": "dns", "direction": ""}


@given(
    st.fixed_dictionaries(
        {
            "name": st.text(max_size=300), "type": st.text(max_size=20), "response_code": st.text(max_size=20),
            "answers": st.lists(st.text(max_size=80), max_size=32), "latency_us": st.lists(st.integers(0, 2**50)),
            "timed": st.integers(0, 2**50), "latency_sum_us": st.integers(0, 2**50), "count": st.integers(0, 2**50),
            "latency_max_us": st.integers(0, 2**50), "first_seen_at_ns": st.integers(0, 2**62),
            "last_seen_at_ns": st.integers(0, 2**62), "protocol": st.integers(0, 255),
            "time_to_live_seconds": st.integers(0, 2**50),
        }
    )
)  # fmt: skip
def test_any_row_that_is_taken_makes_a_record_that_fits(facts: Row) -> None:
    assert len(records(asked("10.0.1.7", "2001:db8::1", **facts), names=only("*.example"))) == 1
