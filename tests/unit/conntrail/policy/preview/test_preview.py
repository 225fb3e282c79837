"""History replayed against changed policies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.errors import CommandError
from conntrail.policy.cluster.build import policies_of
from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.seen import History, Seen, SeenEnd, SeenKey
from conntrail.policy.preview.change import changed
from conntrail.policy.preview.finding import Finding, finding_row, findings
from conntrail.policy.preview.report import markdown, summary
from tests.unit.conntrail.policy.cluster.builders import allow_from, pod, policy, snapshot

PODS = [pod("web-1", "10.0.0.1"), pod("job-1", "10.0.0.3"), pod("db-1", "10.0.0.2")]
DENY_ALL = policy("db", {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]})
OTHER = policy("other", {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]})


def end(name: str) -> SeenEnd:
    return SeenEnd("workload", "shop", "ReplicaSet", name)


def seen(source: str, action: str = "allowed", port: int = 8080, destination: str = "db") -> Seen:
    return Seen(SeenKey(end(source), end(destination), "TCP", port, action), 3, 3, 30, 0, 9)


def previewed(present: list[Any], given_: list[Any], *records: Seen, is_deleted: bool = False) -> list[Finding]:
    now, change = snapshot(*PODS, *present), snapshot(*given_)
    after = policies_of(changed(now.objects, change.objects, is_deleted=is_deleted))
    return list(findings(History(seen=records), now, after, ""))


def effects(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.effect, finding.seen.key.source.name) for finding in found]


def test_what_was_seen_and_would_be_denied_breaks_and_names_the_policy() -> None:
    found = previewed([], [allow_from("web", "db")], seen("job"), seen("web"))
    assert effects(found) == [("breaks", "job")]
    assert found[0].by == ("NetworkPolicy:shop/db:rule=-1:deny",)


def test_what_the_present_policies_deny_already_is_not_broken_by_the_change() -> None:
    assert previewed([DENY_ALL], [OTHER], seen("job")) == []


def test_what_was_denied_and_would_pass_is_newly_allowed_by_its_rule() -> None:
    found = previewed([DENY_ALL], [allow_from("web", "db")], seen("web", "denied"), seen("job", "denied"))
    assert effects(found) == [("allows", "web")]
    assert found[0].by == ("NetworkPolicy:shop/db:rule=0:allow",)


def test_a_deleted_policy_denies_no_more() -> None:
    assert effects(previewed([DENY_ALL], [DENY_ALL], seen("web", "denied"), is_deleted=True)) == [("allows", "web")]


def test_what_cannot_be_evaluated_or_replayed_is_said() -> None:
    broken = policy("db", {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"ports": [{"port": True}]}]})
    found = previewed([], [broken], seen("web"), seen("gone"))
    assert effects(found) == [("undecided", "web"), ("unknown-ends", "gone")]


@given(st.lists(st.sampled_from([seen(name, action) for name in ("web", "job") for action in ("allowed", "denied")])))
def test_a_set_applied_to_itself_changes_nothing(records: list[Seen]) -> None:
    assert previewed([DENY_ALL], [DENY_ALL], *records) == []


@given(st.sets(st.sampled_from(["web", "job"])), st.sampled_from(["web", "job"]))
def test_another_policy_that_only_allows_breaks_nothing_that_passes(sources: set[str], allowed: str) -> None:
    """NetworkPolicies add up: where a pod is isolated already, another allowance takes nothing away."""
    more = allow_from(allowed, "db")
    more["metadata"]["name"] = "more"
    found = previewed([allow_from("web", "db")], [more], *map(seen, sources))
    assert "breaks" not in [finding.effect for finding in found]


def test_only_a_namespaces_own_traffic_is_shown() -> None:
    now: Snapshot = snapshot(*PODS)
    after = policies_of(snapshot(allow_from("web", "db")).objects)
    assert not list(findings(History(seen=(seen("job"),)), now, after, "elsewhere"))


def test_files_without_a_policy_and_deletions_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(CommandError, match="no policy"):
        previewed([], PODS, seen("web"))
    with pytest.raises(CommandError, match="has no NetworkPolicy shop/db"):
        previewed([], [DENY_ALL], seen("web"), is_deleted=True)


def test_the_report_counts_and_names_and_no_name_ends_its_cell() -> None:
    found = previewed([], [allow_from("web", "db")], seen("job"))
    text = markdown(found, 2, "today")
    assert summary(found, 2).startswith("of 2 records of traffic 1 would break, 0 are newly allowed")
    assert "| `shop/job` | `shop/db` | TCP 8080 | 3 | `NetworkPolicy:shop/db:rule=-1:deny` |" in text
    hostile = Finding("breaks", Seen(SeenKey(end("a`|\n"), end("b"), "TCP", 1, "allowed"), 1, 1, 1, 0, 1), ())
    assert "| `shop/a'/\\n` |" in markdown([hostile], 1, "today")
    assert finding_row(found[0])["source"] == "shop/job"
