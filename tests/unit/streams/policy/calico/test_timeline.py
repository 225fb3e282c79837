from dataclasses import replace

import polars as pl

from streams.policy.hits import hits
from streams.policy.judge import judge
from tests.unit.streams.policy.builders import SECOND, START, Endpoints, matched, policy_object, timeline
from tests.unit.streams.policy.calico.builders import (
    DB,
    WEB,
    account,
    calico,
    global_policy,
    namespace,
    network_set,
    policy,
)

OFFICE = replace(network_set("office", ["192.0.2.0/25"], {"kind": "office"}), observed_at_ns=START - 60 * SECOND)
ALLOW_OFFICE = global_policy(ingress=[{"action": "Allow", "source": {"selector": "kind == 'office'"}}])
ENDS = Endpoints([WEB, DB])


def test_a_set_that_changes_changes_verdicts_from_its_instant() -> None:
    wider = replace(network_set("office", ["192.0.2.0/24"], {"kind": "office"}), observed_at_ns=START)
    known = timeline(ALLOW_OFFICE, OFFICE, wider)
    rows = matched(
        *({"started_at_ns": START + at * SECOND} for at in (-30, 30)),
        source_index=None,
        source_address="192.0.2.200",
    )
    assert judge(rows, ENDS, known)["policy_verdict"].to_list() == ["deny", "allow"]


def test_addresses_on_both_sides_of_a_sets_edge_are_told_apart() -> None:
    rows = matched(*({"source_address": f"192.0.2.{last}"} for last in (1, 127, 128, 255)), source_index=None)
    assert judge(rows, ENDS, timeline(ALLOW_OFFICE, OFFICE))["policy_verdict"].to_list() == [
        "allow",
        "allow",
        "deny",
        "deny",
    ]


def test_what_no_policy_refers_to_changes_nothing_and_is_forgotten() -> None:
    plain = policy_object({"podSelector": {}})
    known = timeline(plain, *(replace(account(f"a{at}", {}), observed_at_ns=START + at) for at in range(5)))
    assert known.edges == timeline(plain).edges
    known.apply(replace(account("a0", {}), observed_at_ns=START + 9, deleted_at_ns=START + 9))
    known.forget_before(START + 10)
    assert len(known) == 5


def test_policies_of_one_name_keep_their_uids_apart() -> None:
    deny = [{"action": "Deny"}]
    known = timeline(
        policy_object({"podSelector": {}, "ingress": [{}]}, "p"),
        replace(policy("p", order=1, ingress=[{"action": "Pass"}]), uid="of-calico"),
        global_policy(ingress=deny),
    )
    rows = hits(judge(matched({}), ENDS, known), known)
    assert rows.filter(pl.col("kind") == "NetworkPolicy").select("tier", "uid").rows() == [("default", "of-calico")]
    assert known.uid_of("NetworkPolicy", "shop", "p") == "uid-p"


def test_the_pending_verdict_is_in_the_columns() -> None:
    staged = calico("StagedNetworkPolicy", "s", ingress=[{"action": "Deny"}])
    row = judge(matched({}), ENDS, timeline(staged)).to_dicts()[0]
    assert (row["policy_verdict"], row["pending"]) == ("none", ["StagedNetworkPolicy:shop/s:default:rule=0:deny"])


def test_only_what_is_referred_to_makes_new_sets_of_policies() -> None:
    deny, born = [{"action": "Deny"}], replace(account("a", {}), observed_at_ns=START)
    assert START not in timeline(policy(selector="app == 'db'", ingress=deny), born, OFFICE).edges
    assert START in timeline(policy(serviceAccountSelector="role == 'x'", ingress=deny), born).edges
    asking = [{"action": "Deny", "source": {"serviceAccounts": {"selector": "has(role)"}}}]
    assert START in timeline(policy(ingress=asking), born).edges
    home = replace(namespace("pay", {}), observed_at_ns=START)
    assert START not in timeline(ALLOW_OFFICE, home).edges
    asking = [{"action": "Deny", "source": {"namespaceSelector": "team == 'red'"}}]
    assert START in timeline(policy(ingress=asking), home).edges
