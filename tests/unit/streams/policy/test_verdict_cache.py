from streams.policy.object import PolicyObject
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


def test_texts_that_are_too_long_are_judged_and_fill_no_memory() -> None:
    ports = {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": "*.example"}]}}
    spec = {"endpointSelector": {}, "egress": [{"toPorts": [ports]}]}
    epoch = timeline(PolicyObject("cilium.io/v2", "CiliumNetworkPolicy", "shop", "p", "uid", spec)).epoch_at(START)
    cache = VerdictCache()
    web = cache.classify(0, pod("web", address="10.0.0.1"), "10.0.0.1")
    server = cache.classify(None, None, "192.0.2.1")
    verdicts = [
        cache.verdict(epoch, web, server, Asked("UDP", 53, dns=f"{number}{'x' * 256}.{zone}")).policy_verdict
        for number in range(100)
        for zone in ("example", "other")
    ]
    assert verdicts == ["allow", "deny"] * 100
    assert (len(cache), cache.evaluations) == (2, 2)
