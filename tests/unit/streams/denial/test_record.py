"""A denial names both ends, who denied it and what came nearest to allowing it, under an id of its own."""

import pytest

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.denial.nearest import NearestMisses
from streams.denial.record import cut_record
from tests.support.objects import SECOND
from tests.support.parts import batch
from tests.unit.streams.denial.builders import FAMILIES, START, denied, names_of, policy, records

DENIED_BY = "NetworkPolicy:shop/db:rule=-1:deny"


@pytest.mark.parametrize(("client", "server", "service"), FAMILIES)
def test_a_denial_names_its_ends_the_service_dialled_and_the_policy(client: str, server: str, service: str) -> None:
    [made] = records(names_of(policy()), denied(client, server, service))
    assert made["event"] == {
        "start_ns": START, "end_ns": START + SECOND, "duration_ns": SECOND, "action": "denied",
        "reason": "ingress isolated by NetworkPolicy shop/db, none of whose rules allows it",
    }  # fmt: skip
    assert (made["cluster"], made["count"], made["evidence"]) == ("test", 2, ["attempt", "evaluation"])
    assert made["network"]["transport"] == "tcp"
    assert made["network"]["direction"] == "internal"
    assert made["source"]["kubernetes"]["workload"] == {"kind": "Deployment", "name": "web"}
    assert made["destination"]["kubernetes"]["workload"] == {"kind": "StatefulSet", "name": "db"}
    assert (made["destination"]["ip"], made["destination"]["port"]) == (server, 5432)
    assert made["destination"]["service"] == {"name": "db", "namespace": "shop", "ip": service, "port": 5432}
    assert (made["policy"]["verdict"], made["policy"]["denied_by"]) == ("deny", [DENIED_BY])
    assert (made["rule"]["name"], made["rule"]["category"], made["rule"]["uuid"]) == ("shop/db", "ingress", "uid-db")
    assert made["observer"] == {"name": "node2", "coverage": "complete"}


def test_the_nearest_miss_is_one_line_and_worked_out_once_for_a_pair_and_port() -> None:
    names, misses = names_of(policy()), NearestMisses()
    rows = [denied(), denied(original_destination_port=5433, reply_source_port=5433), denied(started_at_ns=START + 1)]
    made = records(names, *rows, misses=misses)
    assert made[0]["nearest_miss"] == (
        "ingress: NetworkPolicy shop/db rule 0 fails by selector: it wants app=api, the pod has app=web"
    )
    assert "selector and port" in made[1]["nearest_miss"]
    assert made[2]["nearest_miss"] == made[0]["nearest_miss"]
    assert misses.evaluations == 2


def test_what_no_policy_explains_failed_and_what_policies_allow_is_drift() -> None:
    [failed] = records(names_of(), denied())
    assert (failed["event"]["action"], failed["policy"]["verdict"], failed["nearest_miss"]) == ("failed", "none", None)
    open_to_all = policy({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]})
    [drifting] = records(names_of(open_to_all), denied())
    assert (drifting["event"]["action"], drifting["policy"]["drift"]) == ("denied", True)


def test_a_service_without_endpoints_is_told_as_such() -> None:
    [made] = records(names_of(), denied(destination="10.96.0.1", evidence="reject"))
    assert (made["event"]["action"], made["evidence"]) == ("failed", ["reject"])
    assert made["event"]["reason"] == "no policy explains it: the Service dialled has no endpoint to answer"
    assert made["destination"]["service"]["name"] == "db"


def test_an_outside_destination_has_the_name_that_was_looked_up() -> None:
    no_egress = policy({"podSelector": {}, "policyTypes": ["Egress"], "egress": []}, name="closed")
    row = denied(destination="203.0.113.9", destination_names=["api.example", "other.example"])
    [made] = records(names_of(no_egress), row)
    assert (made["destination"]["kubernetes"], made["destination"]["domain"]) == (None, "api.example")
    assert (made["network"]["direction"], made["rule"]["category"]) == ("outbound", "egress")


def test_a_policy_heard_of_after_the_packet_explains_it_and_its_nearest_miss_is_known() -> None:
    [made] = records(names_of(policy(observed=101)), denied())
    assert (made["event"]["action"], made["policy"]["denied_by"]) == ("denied", [DENIED_BY])
    assert made["nearest_miss"] is not None


def test_two_nodes_reports_of_one_denial_have_one_id_and_other_denials_have_others() -> None:
    names = names_of(policy())
    [near] = records(names, denied(), of=batch("node1", start=99, end=102))
    [far] = records(names, denied(started_at_ns=START + 3_000_000), of=batch("node2", sequence=9, start=99, end=103))
    assert near["id"] == far["id"]
    others = [
        denied(started_at_ns=START + SECOND),
        denied(evidence="reject"),
        denied(reply_source_port=5433),
        denied(source="10.0.1.8"),
        denied(dialled="10.96.0.1"),
    ]
    ids = [made["id"] for made in records(names, *others)]
    assert len({near["id"], *ids}) == 6


def test_what_a_node_had_no_room_for_is_a_record_told_once() -> None:
    lost = {"denials_overflow": 900}
    cut = cut_record("test", batch("node1", start=99, end=102, lost=lost, coverage="lossy"))
    assert cut is not None
    key, record = cut
    codec = SingleObjectCodec(read_schema("denial"))
    assert codec.decode(codec.encode(record)) == record
    assert (key, record["count"], record["event"]["action"]) == ("node1", 900, "cut")
    assert record["event"]["reason"] == "900 beyond what the node tells at once; flows have them"
    assert cut_record("test", batch("node1", lost=lost, partition=1)) is None
    assert cut_record("test", batch("node1")) is None
