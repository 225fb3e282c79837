"""What is said in the lab: names are looked up, requests answered, TLS begun, and the truth has each of them.

Programs that are not ours ask the same servers, and are told the same.
"""

import json
import os
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import pytest

from conntrail.lab.main import Lab
from tests.support.lab import Fact, running_lab, traffic_of

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
SLOW_US: Final = 120_000
STATUSES: Final = {"/missing": 404, "/broken": 500}
RESOLVER: Final = "kube-system/kube-dns"
FRONTEND: Final = "shop/frontend"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("exchange")) as running:
        yield running


@pytest.fixture(scope="module")
def facts(lab: Lab) -> list[Fact]:
    return traffic_of(lab, 9)


@pytest.fixture(scope="module")
def exchanges(lab: Lab, facts: list[Fact]) -> list[Fact]:
    assert facts
    return lab.exchanges()


def of_layer(exchanges: list[Fact], layer: str) -> list[Fact]:
    return [fact for fact in exchanges if fact["layer"] == layer]


def said(lab: Lab, *words: str) -> str:
    """What a program in a pod of the frontend prints."""
    entered = ["ip", "netns", "exec", lab.pod(FRONTEND).network_namespace, *words]
    return subprocess.run(entered, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def address_of(facts: list[Fact], service: str) -> str:
    return next(f["dialled_address"] for f in facts if f["service"] == service and f["family"] == "ipv4")


def test_every_exchange_belongs_to_a_connection_of_the_same_ends(facts: list[Fact], exchanges: list[Fact]) -> None:
    ends = ("protocol", "source_address", "source_port", "dialled_address", "dialled_port")
    spans = defaultdict(list)
    for fact in facts:
        spans[tuple(fact[name] for name in ends)].append((fact["started_at_ns"], fact["ended_at_ns"]))
    for fact in exchanges:
        held = spans[tuple(fact[name] for name in ends)]
        assert any(start <= fact["started_at_ns"] <= end for start, end in held), fact


def test_every_answer_that_dns_can_give_is_given(exchanges: list[Fact]) -> None:
    asked = of_layer(exchanges, "dns")
    codes = Counter((fact["protocol"], fact["family"], fact["code"]) for fact in asked)
    for kind in (
        ("udp", "ipv4", "NOERROR"),
        ("udp", "ipv4", "NXDOMAIN"),
        ("udp", "ipv4", "SERVFAIL"),
        ("udp", "ipv4", "TIMEOUT"),
        ("udp", "ipv6", "NOERROR"),
        ("tcp", "ipv4", "NOERROR"),
    ):
        assert codes[kind] > 0, kind
    assert {fact["code"] for fact in asked if fact["latency_us"] is None} == {"TIMEOUT"}
    assert all(fact["latency_us"] > 0 for fact in asked if fact["code"] != "TIMEOUT")


def test_the_search_path_is_walked_until_a_name_is_there(exchanges: list[Fact]) -> None:
    names = {fact["name"]: fact["code"] for fact in of_layer(exchanges, "dns") if fact["type"] == "A"}
    assert names["postgres.data.shop.svc.cluster.local"] == "NXDOMAIN"
    assert names["postgres.data.svc.cluster.local"] == "NOERROR"
    assert "postgres.data.cluster.local" not in names
    assert [names[f"www.example.org{end}"] for end in (".cluster.local", "")] == ["NXDOMAIN", "NOERROR"]


def test_what_was_cut_is_asked_again_by_tcp(exchanges: list[Fact]) -> None:
    many = [fact for fact in of_layer(exchanges, "dns") if (fact["name"], fact["type"]) == ("many.example.org", "A")]
    cut, whole = ([fact for fact in many if fact["is_truncated"] == is_cut] for is_cut in (True, False))
    assert {fact["protocol"] for fact in cut} == {"udp"}
    assert {(fact["protocol"], len(fact["answers"])) for fact in whole} == {("tcp", 60)}
    assert len(cut) == len(whole) > 0


def test_a_name_that_was_looked_up_is_called_at_the_address_that_was_answered(
    facts: list[Fact], exchanges: list[Fact]
) -> None:
    answers = {fact["name"]: fact["answers"] for fact in of_layer(exchanges, "dns") if fact["type"] == "A"}
    named = [fact for fact in facts if fact["domain"] and fact["family"] == "ipv4"]
    assert {"api.example.org", "www.example.org", "payment.shop.svc.cluster.local"} == {f["domain"] for f in named}
    for fact in named:
        assert [fact["dialled_address"]] == answers[fact["domain"]]
    assert {fact["outcome"] for fact in facts if fact["service"] == RESOLVER} == {"answered"}


def test_every_request_has_the_status_of_its_path_and_slow_ones_take_their_time(exchanges: list[Fact]) -> None:
    requests = of_layer(exchanges, "http")
    assert Counter(fact["status"] for fact in requests).keys() == {200, 404, 500}
    for fact in requests:
        wanted = next((status for path, status in STATUSES.items() if fact["path"].startswith(path)), 200)
        assert fact["status"] == wanted, fact
        assert (fact["latency_us"] >= SLOW_US) >= fact["path"].startswith("/slow"), fact
    assert {fact["method"] for fact in requests} == {"GET", "POST"}
    identities = [fact["request_id"] for fact in requests]
    assert len(set(identities)) == len(identities)


def test_one_connection_carries_many_requests(exchanges: list[Fact]) -> None:
    by_port = Counter((f["source_address"], f["source_port"]) for f in of_layer(exchanges, "http"))
    assert max(by_port.values()) > 5


def test_tls_is_agreed_with_the_name_and_protocols_that_were_offered(exchanges: list[Fact]) -> None:
    hellos = of_layer(exchanges, "tls")
    assert {(fact["sni"], *fact["alpn"]) for fact in hellos} == {
        ("payment.shop.svc", "h2", "http/1.1"),
        ("api.example.org", "http/1.1"),
    }
    assert {(fact["version"], fact["chosen_alpn"]) for fact in hellos} == {("TLSv1.3", "http/1.1")}


def test_curl_is_told_what_our_own_client_is(lab: Lab, facts: list[Fact]) -> None:
    address = address_of(facts, "shop/payment")
    write = ["-s", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"]
    urls = [f"http://{address}{path}" for path in ("/missing/1", "/broken", "/items")]
    words = [word for url in urls for word in ("-o", "/dev/null", url)]
    assert said(lab, "curl", *write, *words).split() == ["404", "1", "500", "0", "200", "0"]
    assert said(lab, "curl", *write, "-d", "x=1", f"http://{address}/payments").split()[0] == "200"
    assert said(lab, "curl", "-k", *write, "--resolve", f"pay:443:{address}", "https://pay/broken").split()[0] == "500"


def test_openssl_agrees_on_tls_with_the_lab_s_server(lab: Lab, facts: list[Fact]) -> None:
    address = address_of(facts, "shop/payment")
    words = ["openssl", "s_client", "-connect", f"{address}:443", "-servername", "payment.shop", "-alpn", "http/1.1"]
    text = said(lab, *words)
    assert "ALPN protocol: http/1.1" in text
    assert "TLSv1.3" in text


def test_dig_is_told_what_our_own_client_is(lab: Lab, facts: list[Fact]) -> None:
    server = address_of(facts, RESOLVER)

    def dig(*words: str) -> list[str]:
        return said(lab, "dig", f"@{server}", "+tries=1", "+timeout=2", *words).splitlines()

    assert dig("+short", "www.example.org") == ["www.cdn.example.net.", "edge.cdn.example.net.", "192.0.2.12"]
    assert len(dig("+short", "+noedns", "many.example.org")) == 60
    assert any("status: NXDOMAIN" in text for text in dig("nowhere.example.org"))
    assert any("status: SERVFAIL" in text for text in dig("failing.example.org"))
    assert dig("+short", "+search", "+domain=shop.svc.cluster.local", "payment") == [address_of(facts, "shop/payment")]


def test_the_truth_is_whole_lines_of_one_layer_each(lab: Lab, facts: list[Fact]) -> None:
    lines = [json.loads(text) for text in lab.truth_path.read_text().splitlines()]
    layers = Counter(fact["layer"] for fact in lines)
    assert layers.keys() == {"connection", "dns", "http", "tls"}
    assert layers["connection"] == len(facts)
