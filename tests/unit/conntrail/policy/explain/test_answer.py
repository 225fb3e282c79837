"""What is told of a destination."""

from conntrail.policy.cluster.snapshot import Backend, Service
from conntrail.policy.explain.answer import service_readiness


def test_a_pod_with_addresses_of_both_families_is_one_endpoint() -> None:
    backends = (Backend(("10.0.0.2",), "shop/db-1", is_ready=True), Backend(("fd00::2",), "shop/db-1", is_ready=True))
    service = Service("shop", "db", "ClusterIP", ("10.96.0.9",), (), {}, backends)
    assert service_readiness(service).words[0] == "Service shop/db has 1 of 1 endpoints ready"
