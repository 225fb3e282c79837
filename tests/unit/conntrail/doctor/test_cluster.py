from agents.cluster.right import Right, rights_of
from conntrail.doctor.cluster.judge import ClusterFacts, judge_cluster
from conntrail.doctor.finding import Finding

_POLICIES = Right("networking.k8s.io", "networkpolicies", ("list", "watch"), "verdicts")
_LEASE = Right("coordination.k8s.io", "leases", ("get",), "the lease", "conntrail")


def _judge(
    allowed: dict[tuple[Right, str], bool] | None = None, parts: dict[str, int] | None = None
) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in judge_cluster(ClusterFacts("https://a", "v1.34.0", None, allowed or {}, parts), "0.1.0"):
        found.setdefault(finding.check.name, []).append(finding)
    return found


def test_rights_that_are_all_there_are_one_line() -> None:
    allowed = {(right, verb): True for right in rights_of() for verb in right.verbs}
    [found] = _judge(allowed)["access"]
    assert (found.state, found.found) == ("ok", f"all {len(allowed)} rights of the cluster agent")


def test_each_verb_that_is_refused_is_named_with_what_is_lost_and_what_to_grant() -> None:
    allowed = {(_POLICIES, "list"): True, (_POLICIES, "watch"): False, (_LEASE, "get"): False}
    policies, lease = (finding.document() for finding in _judge(allowed)["access"])
    assert policies == {
        "area": "cluster",
        "check": "access",
        "state": "missing",
        "found": "no right to watch networkpolicies.networking.k8s.io",
        "lost": "verdicts",
        "remedy": "grant verbs [watch] on resources [networkpolicies] of apiGroups [networking.k8s.io] by RBAC",
    }
    assert lease["found"] == "no right to get leases.coordination.k8s.io in namespace conntrail"


def test_parts_of_another_version_are_told() -> None:
    assert _judge(parts={"0.1.0": 4})["parts"][0].state == "ok"
    [found] = _judge(parts={"0.1.0": 4, "0.2.0": 1})["parts"]
    assert (found.state, found.found) == ("degraded", "4 pods of 0.1.0, 1 pods of 0.2.0; this command is 0.1.0")
    assert _judge(parts={})["parts"][0].state == "skipped"
    assert _judge(parts=None)["parts"][0].found == "we may not list pods"
