from conntrail.policy.words.label import given_labels


def test_labels_that_change_with_a_rollout_are_left_out() -> None:
    labels = {"tier": "db", "app": "postgres", "pod-template-hash": "5d9c", "controller-revision-hash": "7"}
    assert list(given_labels(labels).items()) == [("app", "postgres"), ("tier", "db")]
