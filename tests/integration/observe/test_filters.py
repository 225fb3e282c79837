"""Every filter of ``conntrail observe``, asked of both stores: they must find the same, and what is expected."""

from collections.abc import Iterator
from typing import Any

import pytest

from conntrail.observe.condition import matches
from conntrail.observe.negation import conditions
from conntrail.observe.reader import DocumentIndex, DocumentTopics
from runtime.settings import ElasticsearchSettings, KafkaSettings, SchemaRegistrySettings
from schemas.topic import DNS, FLOWS, KUBERNETES_EVENTS, L7, Topic
from streams.index import dataset as datasets
from tests.integration.observe.test_types import Place, at, place
from tests.support.stack import RunningStack
from tests.unit.streams.index.builders import AT_NS, dns, flow, l7
from tests.unit.streams.index.cluster_builders import kubernetes_event

__all__ = ["place"]
pytestmark = pytest.mark.stack
_DATASETS = [datasets.FLOW, datasets.DNS, datasets.L7]
_SECOND = 1_000_000_000
_NOT = ("not", "")
_REQUESTS = (("GET", "/orders/{id}", 503), ("POST", "/orders", 201), ("PUT", '/a"b.c', 404))


def _records() -> Iterator[tuple[Topic, dict[str, Any]]]:
    """By second: 1 allowed inside, 2 denied, 3 to a name outside; 4 and 5 questions; 6, 7 and 8 requests."""
    inside, denied, outside = flow("id-1"), flow("id-2"), flow("id-3")
    for number, record in enumerate((inside, denied, outside)):
        record["flow"]["id"] = f"connection-{number}"
        record["destination"]["port"] = 8080 + number
    inside["source"]["kubernetes"]["labels"] = {"app": "client", "tier": "front", "example.io/team": "a", "legacy": ""}
    inside["network"]["protocol"] = "http"
    denied["event"]["action"] = "denied"
    denied["destination"]["domain"] = None
    denied["source"]["kubernetes"]["workload"] = {"kind": "DaemonSet", "name": "client"}
    denied["policy"]["denied_by"] = ["NetworkPolicy:data/strict:rule=-1:deny", "AdminNetworkPolicy:/guard:rule=1:deny"]
    denied["observer"] = {"name": "node2", "nodes": ["node2"]}
    outside["destination"] |= {"kubernetes": None, "service": None, "domain": "API.example.org", "ip": "2001:db8::1"}
    outside["network"]["type"] = "ipv6"
    yield at(1, FLOWS, inside)
    yield at(2, FLOWS, denied)
    yield at(3, FLOWS, outside)
    yield at(4, DNS, dns())
    refused = dns(action="failed")
    refused["dns"] |= {"name": "gone.example.org", "response_code": "NXDOMAIN", "answers": []}
    yield at(5, DNS, refused)
    for second, (method, path, status) in enumerate(_REQUESTS, 6):
        request = l7()
        request["http"] |= {"method": method, "path": path, "status": status, "host": f"Web{second}.shop:80"}
        yield at(second, L7, request)


_CASES: list[tuple[list[tuple[str, str]], set[int]]] = [
    ([("namespace", "shop"), ("verdict", "denied")], {2}),
    ([("verdict", "allowed"), ("verdict", "denied")], {1, 2, 3}),
    ([("workload", "shop/client"), ("to_port", "8081")], {2}),
    ([("from_workload", "daemonset/shop/client")], {2}),
    ([("from_workload", "deployment/*/client"), ("to_port", "8000-9000")], {1, 3, 4, 5, 6, 7, 8}),
    ([("to_port", "8080,8082")], {1, 3}),
    ([("from_port", "40000"), _NOT, ("to_port", "8080-8081")], {3, 6, 7, 8}),
    ([("ip", "2001:db8::/32")], {3, 4}),
    ([("to_ip", "2001:db8::/32")], {3}),
    ([("ip_version", "6")], {3}),
    ([("node_name", "node2"), ("verdict", "denied")], {2}),
    ([("label", "app=client,tier in (front,back)")], {1}),
    ([("from_label", "example.io/team=a")], {1}),
    ([("from_label", "app"), _NOT, ("from_label", "tier=back")], {1}),
    ([("from_label", "!app"), ("verdict", "denied")], {2}),
    ([("from_label", "legacy")], {1}),
    ([("from_label", "legacy=")], {1}),
    ([("from_label", "!legacy"), ("verdict", "allowed")], {3}),
    ([("from_label", "app!=client"), ("verdict", "allowed")], {3}),
    ([("to_label", "app!=client"), ("protocol", "tcp"), ("verdict", "allowed")], {1}),
    ([_NOT, ("label", "app"), ("verdict", "allowed")], {3}),
    ([("policy", "data/strict")], {2}),
    ([("policy", "guard")], {2}),
    ([("policy", "strict"), ("policy", "web"), ("port", "40000"), _NOT, ("protocol", "http")], {2, 3}),
    ([_NOT, ("policy", "data/*"), ("policy", "shop/web"), ("verdict", "allowed")], {1, 3}),
    ([("fqdn", "*.example.org")], {3, 5}),
    ([("fqdn", "api.EXAMPLE.org.")], {3}),
    ([("to_fqdn", "*.example.org")], {3}),
    ([("to_fqdn", "web6.shop")], {6}),
    ([_NOT, ("to_fqdn", "*"), ("verdict", "denied")], {2}),
    ([("dns_query", "API.example")], {4}),
    ([("dns_query", "*example*"), _NOT, ("dns_rcode", "noerror")], {5}),
    ([("dns_rcode", "NXDOMAIN")], {5}),
    ([("http_method", "get"), ("http_method", "PUT")], {6, 8}),
    ([("http_status", "5xx")], {6}),
    ([("http_status", "20+,404")], {7, 8}),
    ([("http_status", "200-599"), _NOT, ("http_status", "5+")], {7, 8}),
    ([("http_path", "^/orders$")], {7}),
    ([("http_path", "/orders/{id}")], {6}),
    ([("http_path", "^/[a-z]+(/.*)?$")], {6, 7}),
    ([("http_path", r'a"b\.c$')], {8}),
    ([("http_path", "/"), _NOT, ("http_path", "(id|c)")], {7}),
    ([("protocol", "http"), ("namespace", "shop")], {1, 6, 7, 8}),
]


def test_both_stores_find_the_same_by_every_filter(stack: RunningStack, place: Place) -> None:
    place.keep(*_records())
    topics = DocumentTopics(
        KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=f"{place.name}."),
        SchemaRegistrySettings(),
        [FLOWS, DNS, L7],
        pytest.fail,
    )
    index = DocumentIndex(ElasticsearchSettings(hosts=stack.elasticsearch, namespace=place.name), _DATASETS)
    every = list(topics.documents(0, follow=False))
    for words, expected in _CASES:
        values: dict[str, list[str]] = {}
        for name, text in words:
            if name != "not":
                values.setdefault(name, []).append(text)
        wanted = conditions(values, [name for name, _ in words])
        found = {
            "kafka": {_second(document) for document in every if matches(wanted, document)},
            "elasticsearch": {_second(document) for document in index.documents(wanted, None, None)},
        }
        assert found == {"kafka": expected, "elasticsearch": expected}, words


def _told_again() -> Iterator[tuple[Topic, dict[str, Any]]]:
    """1 failed and was allowed, 2 was allowed and failed, 3 failed and was a echo, of 4 nothing is left; events."""
    for second, action in ((1, "failed"), (2, "allowed"), (3, "failed"), (4, "failed")):
        record = flow(f"a-{second}", 1, timestamp_ns=AT_NS + second * _SECOND)
        record["event"]["action"] = action
        yield FLOWS, record
    for second, action, name in ((1, "allowed", "a-1"), (2, "failed", "a-2"), (3, "allowed", "b-3"), (4, "", "")):
        record = flow(name, 2, replaces=True, timestamp_ns=AT_NS + second * _SECOND)
        record["event"]["action"] = action
        yield FLOWS, record
    yield KUBERNETES_EVENTS, kubernetes_event(workloads=[])
    yield KUBERNETES_EVENTS, kubernetes_event()


@pytest.mark.parametrize("is_newest_first", [False, True])
def test_of_what_is_told_again_both_stores_filter_the_last_word(place: Place, is_newest_first: bool) -> None:
    told = list(_told_again())
    place.keep(*(reversed(told) if is_newest_first else told))
    for source in ("kafka", "elasticsearch"):
        failed = ("--source", source, "--verdict", "failed")
        assert [_second(document) for document in place.observed(*failed)] == [2]
        counted = place.observed(*failed, "--aggregate-by", "verdict", "--since", "2020-01-01")
        assert [(row["verdict"], row["count"]) for row in counted] == [("failed", 1)]
        events = ("--source", source, "--type", "event")
        assert place.observed(*events, "--not", "--workload", "shop/web") == []
        assert len(place.observed(*events)) == 1


def _second(document: dict[str, Any]) -> int:
    return int(document["@timestamp"][17:19])
