from streams.policy.verdict_cache import Asked, VerdictCache
from tests.unit.streams.policy.builders import START, pod, policy_object, timeline


def test_the_memory_is_bounded_and_what_is_asked_often_stays() -> None:
    epoch = timeline(policy_object({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})).epoch_at(START)
    cache = VerdictCache(maximum_verdicts=20)
    web, db = pod("web", address="10.0.0.1"), pod("db", address="10.0.0.2")
    source, destination = cache.classify(0, web, "10.0.0.1"), cache.classify(1, db, "10.0.0.2")
    often = cache.verdict(epoch, source, destination, Asked("TCP", 80))
    for port in range(1000, 1500):
        stranger = cache.classify(None, None, f"192.0.2.{port % 250}")
        cache.verdict(epoch, stranger, destination, Asked("TCP", port))
        assert cache.verdict(epoch, source, destination, Asked("TCP", 80)) is often
        assert len(cache) <= 40
    assert cache.evaluations <= 4
