"""Labels that tell workloads apart."""

from hypothesis import given
from hypothesis import strategies as st

from conntrail.policy.recommend.selection import Selection, select

LABELS = st.dictionaries(
    st.sampled_from(["app", "tier", "team", "version", "pod-template-hash"]), st.sampled_from(["a", "b"]), max_size=4
)


def test_generated_and_passing_labels_are_not_asked_for() -> None:
    own = {"app": "web", "team": "x", "version": "1.2", "helm.sh/chart": "web-3", "pod-template-hash": "abc"}
    assert select([own], [{"app": "api"}]) == Selection((("app", "web"),))


def test_another_label_is_asked_for_only_where_it_tells_workloads_apart() -> None:
    own = [{"app": "shop", "part": "web", "team": "x"}]
    assert select(own, [{"app": "shop", "part": "api", "team": "x"}]) == Selection((("app", "shop"), ("part", "web")))


def test_a_version_is_asked_for_where_nothing_else_tells_two_deployments_apart() -> None:
    assert select([{"app": "web", "version": "v1"}], [{"app": "web", "version": "v2"}]).labels == (
        ("app", "web"),
        ("version", "v1"),
    )


def test_a_canary_s_label_is_excluded_from_the_plain_workload() -> None:
    assert select([{"app": "web"}], [{"app": "web", "track": "canary"}]) == Selection((("app", "web"),), ("track",))


def test_pods_without_labels_are_those_that_lack_the_others() -> None:
    chosen = select([{}], [{"app": "web"}])
    assert chosen == Selection((), ("app",))
    assert chosen.selects({})
    assert not chosen.selects({"app": "web"})


def test_labels_that_differ_among_the_pods_of_a_workload_are_not_asked_for() -> None:
    assert select([{"name": "x", "shard": "1"}, {"name": "x", "shard": "2"}], []) == Selection((("name", "x"),))


@given(st.lists(LABELS, min_size=1, max_size=3), st.lists(LABELS, max_size=4))
def test_every_own_pod_is_selected_and_another_only_if_its_lasting_labels_are_all_alike(
    own: list[dict[str, str]], others: list[dict[str, str]]
) -> None:
    chosen = select(own, others)
    assert all(chosen.selects(labels) for labels in own)
    common = {pair for pair in own[0].items() if all(pair in labels.items() for labels in own)}
    had = {key for labels in own for key in labels}
    for labels in others:
        if chosen.selects(labels):
            assert {pair for pair in common if pair[0] != "pod-template-hash"} <= labels.items()
            assert labels.keys() - {"pod-template-hash"} <= had
