"""What operators are told of policies: how many, and which of them cannot be judged."""

from prometheus_client import CollectorRegistry

from streams.policy.counters import PolicyCounters
from streams.policy.policy import Policy
from tests.unit.streams.policy.builders import START, policy_object, timeline

_BROKEN = {"podSelector": {}, "ingress": "all of it"}


def _policies(*names: str, spec: object) -> tuple[Policy, ...]:
    made = (policy_object(spec, name=name, observed_at_ns=START) for name in names)
    return timeline(*made).epoch_at(START).policies.policies


def _named(registry: CollectorRegistry) -> set[str]:
    family = next(found for found in registry.collect() if found.name == "conntrail_worker_undecidable_policy")
    return {sample.labels["name"] for sample in family.samples}


def test_a_malformed_policy_is_named_until_it_is_mended_and_the_others_are_counted() -> None:
    registry = CollectorRegistry()
    counters = PolicyCounters(registry)
    sound = _policies("a", "b", spec={"podSelector": {}})
    counters.note((*sound, *_policies("broken", spec=_BROKEN)))
    assert registry.get_sample_value("conntrail_worker_policies") == 3
    assert registry.get_sample_value("conntrail_worker_undecidable_policies") == 1
    assert _named(registry) == {"broken"}
    counters.note(sound)
    assert registry.get_sample_value("conntrail_worker_undecidable_policies") == 0
    assert _named(registry) == set()


def test_however_many_there_are_a_hundred_are_named() -> None:
    registry = CollectorRegistry()
    PolicyCounters(registry).note(_policies(*(f"p{number}" for number in range(150)), spec=_BROKEN))
    assert registry.get_sample_value("conntrail_worker_undecidable_policies") == 150
    assert len(_named(registry)) == 100
