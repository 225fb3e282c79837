"""Names in the lab: what a service is called, what its address is, and what a task that looks one up will call."""

import json
from pathlib import Path
from typing import Any

import pytest

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL
from conntrail.lab.order import check_calls, orders
from conntrail.lab.program.task import Task
from conntrail.lab.zone import zone_of
from tests.unit.conntrail.lab.builders import Object, an_object, built, workload

WEB = {"selector": {"app": "a"}, "ports": [{"port": 80}]}
DNS = an_object("Service", "kube-dns", {"ports": [{"port": 53, "protocol": "UDP"}]}, namespace="kube-system")


def service(name: str, **spec: Any) -> Object:
    return an_object("Service", name, {**WEB, **spec}, namespace="shop")


def caller(*calls: Object) -> Object:
    return workload("Deployment", "web", 2, {"namespace": "shop"}, annotations={CALL: json.dumps(calls)})


def tasks(*objects: Object) -> tuple[Task, ...]:
    (_, order), *_ = orders(built(*objects), Path("truth"), 5, 0)
    return order.tasks


def test_a_service_is_called_by_its_address_and_a_headless_one_by_its_pods() -> None:
    zone = zone_of(built(service("plain"), service("headless", clusterIP="None"), caller()))
    assert zone.values("plain.shop.svc.cluster.local", "A") == ("10.96.0.10",)
    assert zone.values("plain.shop.svc.cluster.local", "AAAA") == ("fd00:96::10",)
    assert zone.values("headless.shop.svc.cluster.local", "A") == ("10.244.1.10", "10.244.2.10")
    assert zone.values("headless.shop.svc.cluster.local", "AAAA") == ("fd00:244:1::10", "fd00:244:2::10")


def test_an_external_name_is_another_name() -> None:
    zone = zone_of(built(service("out", type="ExternalName", externalName="API.example.org.")))
    assert zone.values("out.shop.svc.cluster.local", "A") == ("192.0.2.11",)
    assert zone_of(built(service("out", type="ExternalName"))).values("out.shop.svc.cluster.local", "A") == ()


@pytest.mark.parametrize("name", ["plain", "plain.shop", "plain.shop.svc", "plain.shop.svc.cluster.local."])
def test_a_task_that_looks_up_a_service_calls_it(name: str) -> None:
    (task,) = tasks(DNS, service("plain"), caller({"kind": "http", "resolve": name, "port": 80}))
    assert (task.address, task.service, len(task.servers)) == ("10.96.0.11", "shop/plain", 2)
    assert (task.resolve, task.host) == (name, name)


def test_a_task_that_looks_up_a_name_outside_calls_nobody_of_the_cluster() -> None:
    (task,) = tasks(DNS, caller({"kind": "tls6", "resolve": "api.example.org", "port": 8443, "alpn": ["h2"]}))
    assert (task.address, task.service, task.servers, task.alpn) == ("2001:db8:ffff::11", "", (), ("h2",))


def test_a_pod_asks_the_cluster_s_dns() -> None:
    ((_, order), *_) = orders(
        built(DNS, service("plain"), caller({"kind": "tcp", "to": "plain", "port": 80})), Path("t"), 5, 0
    )
    assert order.resolver is not None
    assert (order.resolver.address, order.resolver.port) == ("10.96.0.10", 53)
    assert order.search[0] == "shop.svc.cluster.local"


@pytest.mark.parametrize(
    ("objects", "name", "message"),
    [
        ([DNS], "nobody.shop", "has no address of nobody.shop, in namespace shop"),
        ([DNS], "silent.example.org", "has no address of silent.example.org"),
        ([], "api.example.org", "there is no service kube-system/kube-dns"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_before_the_lab_is_built(
    objects: list[Object], name: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        check_calls(built(*objects, caller({"kind": "tcp", "resolve": name, "port": 80})))


def test_who_answers_at_an_address_that_was_given_is_not_guessed() -> None:
    host = an_object("Pod", "host", {"containers": [{"name": "app"}], "hostNetwork": True})
    (task,) = tasks(host, caller({"kind": "tcp", "to": "172.30.0.1", "port": 9200}))
    assert (task.address, task.servers) == ("172.30.0.1", ())
