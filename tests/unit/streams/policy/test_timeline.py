from streams.policy.timeline import PolicyTimeline
from tests.unit.streams.policy.builders import SECOND, START, policy_object, timeline

FIRST, SECOND_SPEC = {"podSelector": {}}, {"podSelector": {"matchLabels": {"app": "x"}}}


def names(policies: PolicyTimeline, at_ns: int) -> list[str]:
    return [policy.name for policy in policies.epoch_at(at_ns).policies.policies]


def test_a_state_holds_from_its_observation_to_its_deletion() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START))
    known.apply(policy_object(FIRST, observed_at_ns=START + 5, deleted_at_ns=START + 5))
    assert [names(known, START + at) for at in (-1, 0, 4, 5, 9)] == [[], ["p"], ["p"], [], []]


def test_a_deletion_without_its_spec_ends_the_state_at_the_same_instant() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START))
    known.apply(policy_object(None, observed_at_ns=START, deleted_at_ns=START + 5))
    assert [names(known, START + at) for at in (0, 4, 5)] == [["p"], ["p"], []]
    assert known.epoch_at(START).policies.policies[0].faults == ()


def test_a_deletion_that_is_heard_of_late_counts_from_when_it_was() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START))
    known.apply(policy_object(FIRST, observed_at_ns=START + 9, deleted_at_ns=START + 5))
    assert [names(known, START + at) for at in (4, 5, 9, 20)] == [["p"], [], [], []]


def test_a_change_holds_from_its_instant_and_earlier_flows_keep_the_earlier_state() -> None:
    known = timeline(policy_object(SECOND_SPEC, observed_at_ns=START + 5), policy_object(FIRST, observed_at_ns=START))
    assert known.epoch_at(START + 4).policies.policies[0].subject.pods.matches({})
    assert not known.epoch_at(START + 5).policies.policies[0].subject.pods.matches({})


def test_a_policy_older_than_our_watching_was_there_since_its_creation() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START, created_at_ns=START - 60 * SECOND))
    assert names(known, START - 60 * SECOND) == ["p"]
    assert names(known, START - 60 * SECOND - 1) == []


def test_a_policy_seen_being_made_holds_from_when_it_was_seen() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START, created_at_ns=START - SECOND // 2))
    assert names(known, START - 1) == []


def test_a_policy_made_again_under_the_same_name_does_not_reach_back() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START, deleted_at_ns=START + SECOND))
    again = policy_object(SECOND_SPEC, observed_at_ns=START + 20 * SECOND, created_at_ns=START + 10 * SECOND)
    known.apply(type(again)("networking.k8s.io/v1", "NetworkPolicy", "shop", "p", "other-uid", *_rest(again)))
    assert [names(known, START + at * SECOND) for at in (0, 1, 9, 10)] == [["p"], [], [], ["p"]]


def _rest(item: object) -> tuple[object, ...]:
    fields = ("spec", "annotations", "generation", "created_at_ns", "observed_at_ns", "deleted_at_ns")
    return tuple(getattr(item, name) for name in fields)


def test_the_same_state_again_or_one_that_means_the_same_is_no_new_epoch() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START))
    number = known.epoch_at(START).number
    known.apply(policy_object(FIRST, observed_at_ns=START))
    known.apply(policy_object(FIRST, observed_at_ns=START + 5, annotations={"note": "x"}))
    assert known.epoch_at(START).number == known.epoch_at(START + 6).number == number


def test_no_two_sets_of_policies_share_a_number() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START))
    before, first = known.epoch_at(START - 1).number, known.epoch_at(START).number
    known.apply(policy_object(SECOND_SPEC, observed_at_ns=START))
    corrected = known.epoch_at(START).number
    assert len({before, first, corrected}) == 3


def test_the_order_of_arrival_does_not_matter() -> None:
    states = [policy_object(spec, observed_at_ns=START + at) for at, spec in enumerate((FIRST, SECOND_SPEC, FIRST))]
    forwards, backwards = timeline(*states), timeline(*reversed(states))
    assert forwards.edges == backwards.edges
    for at in range(-1, 4):
        assert forwards.epoch_at(START + at).policies == backwards.epoch_at(START + at).policies


def test_states_that_ended_are_forgotten_and_living_ones_kept() -> None:
    known = timeline(*(policy_object(FIRST, "a", observed_at_ns=START + at) for at in range(5)))
    known.apply(policy_object(FIRST, "b", observed_at_ns=START, deleted_at_ns=START + 2))
    known.forget_before(START + 2)
    assert len(known) == 3
    assert names(known, START + 2) == ["a"]
    assert names(known, START + 100) == ["a"]


def test_a_removed_object_is_gone_from_every_instant() -> None:
    known = timeline(policy_object(FIRST, observed_at_ns=START))
    known.remove(policy_object(None))
    assert names(known, START) == []
    assert len(known) == 0


def test_the_uid_of_a_name_is_the_latest() -> None:
    known = timeline(policy_object(FIRST, "a"))
    assert known.uid_of("NetworkPolicy", "shop", "a") == "uid-a"
    assert known.uid_of("NetworkPolicy", "shop", "b") == ""
