"""DNS: what are misses, what are steps of a search path, what looks generated."""

import pytest

from streams.alert.fact.domain_name import (
    entropy,
    is_expansion,
    is_internal,
    is_step,
    looks_generated,
    registered_domain,
    relatives,
)
from streams.alert.fact.subject import Observation
from streams.alert.rule.condition import Value
from streams.alert.signal.end import SERVICE, End
from tests.unit.streams.alert.builders import (
    DNS_SERVER,
    FRONTEND,
    MINUTE,
    SECOND,
    SETTLED,
    World,
    change,
    denial,
    dns,
    failed,
    http,
    window,
)

DOMAIN = "cluster.local"


def measures(world: World, window_ns: int = MINUTE) -> dict[str, Value]:
    """Of the client's last question; asking once more for nothing changes nothing."""
    observation = world.engine._known.dns.observe(dns(world, "x.example", at=SETTLED + 50 * SECOND, count=0))
    assert isinstance(observation, Observation)
    return dict(observation.facts(window_ns))


@pytest.mark.parametrize("is_found_last", [True, False])
def test_steps_of_a_search_path_are_no_misses(is_found_last: bool) -> None:
    made = World()
    steps = [f"api.pay.example.{suffix}" for suffix in ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")]
    steps.append("api.pay.example.ec2.internal")
    found = dns(made, "api.pay.example", at=SETTLED, count=5)
    if not is_found_last:
        made.take(found)
    for step in steps:
        made.take(dns(made, step, "NXDOMAIN", at=SETTLED, count=5))
    if is_found_last:
        made.offsets["dns"] += 1
        made.take(dns(made, "api.pay.example", at=SETTLED, count=5))
    facts = measures(made)
    assert (facts["missed"], facts["queries"], facts["missed_ratio"]) == (0, 25, 0)


def test_a_service_of_another_namespace_is_found_by_its_search_path() -> None:
    made = World()
    made.take(dns(made, "db.data.shop.svc.cluster.local", "NXDOMAIN", at=SETTLED))
    made.take(dns(made, "db.data.svc.cluster.local", at=SETTLED))
    assert measures(made)["missed"] == 0


def test_names_that_are_not_there_are_misses_and_a_service_that_is_gone_is_one() -> None:
    made = World()
    made.take(dns(made, "gone.shop.svc.cluster.local", "NXDOMAIN", at=SETTLED, count=3))
    made.take(dns(made, "mistyped.example", "NXDOMAIN", at=SETTLED, count=4))
    made.take(dns(made, "fine.example", at=SETTLED, count=3))
    facts = measures(made)
    assert (facts["missed"], facts["missed_ratio"]) == (7, 0.7)


def test_misses_of_an_earlier_minute_stay_counted_without_their_names() -> None:
    made = World()
    made.take(dns(made, "mistyped.example", "NXDOMAIN", at=SETTLED - 4 * MINUTE, count=4))
    made.take(dns(made, "a.example.svc.cluster.local", "NXDOMAIN", at=SETTLED - 4 * MINUTE, count=9))
    made.take(dns(made, "a.example", at=SETTLED - 4 * MINUTE))
    made.take(dns(made, "b.example", at=SETTLED))
    assert measures(made, 5 * MINUTE)["missed"] == 4
    assert measures(made)["missed"] == 0
    state = made.engine._known.clients.known(FRONTEND)
    assert state is not None
    assert not any(bucket.missed for bucket in state.buckets)


def test_a_client_that_asks_for_endless_names_is_bounded_and_counted() -> None:
    made = World()
    for number in range(500):
        made.take(dns(made, f"n{number}.example", "NXDOMAIN", at=SETTLED))
    assert measures(made)["missed"] == 500
    assert made.engine.counters.evicted_names == 500 - 64


def test_names_that_were_found_are_kept_for_a_minute_only() -> None:
    made = World()
    for number in range(500):
        made.take(dns(made, f"n{number}.example", at=SETTLED + number * SECOND))
    state = made.engine._known.clients.known(FRONTEND)
    assert state is not None
    assert sum(len(bucket.found) for bucket in state.buckets) <= 80
    assert sum(bucket.queries for bucket in state.buckets) == 500


def test_failures_are_answers_that_tell_nothing() -> None:
    made = World()
    for code in ("SERVFAIL", "TIMEOUT", "REFUSED", "NOERROR"):
        made.take(dns(made, "a.example", code, at=SETTLED, count=2))
    facts = measures(made)
    assert (facts["failures"], facts["timeouts"], facts["failure_ratio"]) == (6, 2, 0.75)


def test_look_ups_that_a_policy_denies_are_told_by_the_denial() -> None:
    made = World()
    made.works(destination=DNS_SERVER, port=53, transport="udp")
    made.settle()
    made.take(denial(made, FRONTEND, DNS_SERVER, at=SETTLED, port=53, transport="udp"))
    for number in range(30):
        made.take(dns(made, f"n{number}.example", "TIMEOUT", at=SETTLED + number * SECOND))
    made.advance(SETTLED + MINUTE)
    assert made.fired() == {"communication-break"}


def test_look_ups_that_nobody_answers_fail_by_what_befell_the_pods_behind_the_service() -> None:
    """What is not answered names the Service only, and a pod that was started again only its workload."""
    made = World()
    service = {"service": "kube-system/kube-dns", "service_port": 53}
    made.works(destination=DNS_SERVER, port=5353, transport="udp", **service)
    made.settle()
    facts = {"namespace": "kube-system", "name": "coredns-1", "action": "restarted"}
    made.take(change(made, at=SETTLED, kind="Pod", workloads=("kube-system/coredns",), **facts))
    named = {"server": End("kube-system", SERVICE, "kube-dns"), **service}
    for number in range(30):
        made.take(dns(made, f"n{number}.example", "TIMEOUT", at=SETTLED + number * SECOND, **named))
    made.advance(SETTLED + MINUTE)
    (alert,) = made.open().values()
    assert alert["subject"]["destination.workload"] == DNS_SERVER.title
    assert [cause["object"] for cause in alert["causes"]] == ["Pod/kube-system/coredns-1"]


def test_look_ups_that_are_denied_behind_a_service_at_another_port_are_told_by_the_denial() -> None:
    made = World()
    service = {"service": "kube-system/kube-dns", "service_port": 53}
    made.works(destination=DNS_SERVER, port=5353, transport="udp", **service)
    made.settle()
    made.take(denial(made, FRONTEND, DNS_SERVER, at=SETTLED, port=5353, transport="udp", **service))
    named = {"server": End("kube-system", SERVICE, "kube-dns"), **service}
    for number in range(30):
        made.take(dns(made, f"n{number}.example", "TIMEOUT", at=SETTLED + number * SECOND, **named))
    made.advance(SETTLED + MINUTE)
    assert made.fired() == {"communication-break"}


@pytest.mark.parametrize("mode", ["refused", "timeout", "no_endpoints"])
def test_look_ups_that_a_server_which_is_gone_refuses_are_told_as_failing_look_ups(mode: str) -> None:
    made = World()
    made.works(destination=DNS_SERVER, port=53, transport="udp")
    made.settle()
    made.take(window(made.place("windows"), FRONTEND, DNS_SERVER, at=SETTLED, port=53, transport="udp", **failed(mode)))
    for number in range(30):
        made.take(dns(made, f"n{number}.example", "TIMEOUT", at=SETTLED + MINUTE + number * SECOND))
    made.advance(SETTLED + 2 * MINUTE)
    assert made.fired() == {"dns-failures"}


def test_dns_that_fails_for_everybody_is_one_alert() -> None:
    made = World()
    made.settle()
    for number in range(30):
        source = End("shop", "Deployment", f"app{number}")
        made.take(dns(made, "a.example", "TIMEOUT", at=SETTLED, source=source, count=20))
    made.advance(SETTLED + MINUTE)
    (alert,) = made.records
    assert (alert["member_count"], alert["subject"]["server"]) == (30, "kube-system/coredns")


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("a.b.example.com", "example.com"),
        ("a.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("example", "example"),
        ("", ""),
        ("x.y.example.de", "example.de"),
    ],
)
def test_the_registered_domain_is_what_somebody_could_buy(name: str, domain: str) -> None:
    assert registered_domain(name) == domain


@pytest.mark.parametrize(
    "domain",
    ["google.com", "international-business-machines.com", "stackoverflow.com", "xn--bcher-kva.example",
     "windowsupdate.com", "kubernetes.io", "cloudfunctions.net"],
)  # fmt: skip
def test_words_do_not_look_generated(domain: str) -> None:
    assert not looks_generated(domain)


@pytest.mark.parametrize("domain", ["xjpakmdcfuqex.com", "kq3v9z7t1x0b5n8w.net", "qxvtrkzwpldm.info"])
def test_random_letters_do(domain: str) -> None:
    assert looks_generated(domain)


def test_entropy_is_shannons() -> None:
    assert (entropy("aaaa"), entropy("abab"), entropy("")) == (0, 1, 0)
    assert entropy("0123456789abcdef") == 4


@pytest.mark.parametrize(
    "name", ["db", "db.shop.svc.cluster.local", "cluster.local", "4.3.2.1.in-addr.arpa", "8.b.ip6.arpa"]
)
def test_the_clusters_own_names_are_internal(name: str) -> None:
    assert is_internal(name, DOMAIN)


def test_a_name_of_the_same_ending_is_not_internal() -> None:
    assert not is_internal("mycluster.local", DOMAIN)


def test_what_no_service_can_be_called_is_an_expansion() -> None:
    assert is_expansion("api.pay.example.shop.svc.cluster.local", DOMAIN)
    assert is_expansion("api.pay.example.cluster.local", DOMAIN)
    assert not is_expansion("db.shop.svc.cluster.local", DOMAIN)
    assert not is_expansion("db.example", DOMAIN)


def test_another_name_does_not_explain_a_miss() -> None:
    assert not is_step("apix.example.ec2.internal", relatives("api.example", "shop", DOMAIN), "shop", DOMAIN)


def test_names_under_a_domain_that_are_too_many_to_be_told_apart_are_counted() -> None:
    made = World()
    for number in range(600):
        observation = made.engine._known.domains.observe(dns(made, f"{number:020d}abcdefghij.evil.example", at=SETTLED))
    assert observation is not None
    assert observation.facts(MINUTE)["names"] == 512
    assert made.engine.counters.evicted_names == 600 - 512


def test_the_path_of_requests_is_the_last_one_that_failed() -> None:
    made = World()
    told = []
    for action, path in (("answered", "/"), ("error", "/pay"), ("answered", "/cart"), ("unanswered", "/list")):
        observation = made.engine._known.pairs.observe(http(made, action, 1, at=SETTLED, path=path))
        told.append(observation.facts(MINUTE)["path"] if observation else None)
    assert told == ["", "/pay", "/pay", "/list"]
