"""What of an object is refused, and that nothing else stops the lab later."""

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL, EVERY, SERVE
from conntrail.lab.network.firewall import ruleset
from conntrail.lab.network.link import namespaces
from conntrail.lab.order import check_calls
from conntrail.lab.place import build_cluster
from conntrail.lab.show import shown
from tests.unit.conntrail.lab.builders import (
    AT,
    Object,
    an_object,
    check,
    cron_job,
    job,
    pod_spec,
    template,
    workload,
)

POLICY = {
    "podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}]},
    "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": "web"}, {"port": 1, "endPort": 2}]}],
    "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}],
}
WHOLE = [
    an_object("Node", "n1"),
    an_object("Namespace", "shop", labels={"team": "shop"}),
    an_object("Pod", "plain", pod_spec({"name": "web", "containerPort": 80}), labels={"app": "a"}),
    an_object("Pod", "host", pod_spec(hostNetwork=True, nodeName="n1")),
    workload("Deployment", "front", 2, {"namespace": "shop"}, annotations={SERVE: "http:80, udp:53"}),
    workload("StatefulSet", "data"),
    workload("DaemonSet", "each"),
    workload("ReplicaSet", "set"),
    workload("ReplicationController", "old"),
    job("once", parallelism=2, completions=1),
    cron_job("often", {CALL: '[{"kind": "tcp", "to": "web", "port": 80}]'}, {EVERY: "2.5"}),
    an_object("Service", "web", {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": "web"}]}),
    an_object("NetworkPolicy", "p", POLICY),
]


def policy(**spec: Any) -> Object:
    return an_object("NetworkPolicy", "p", spec)


def peer(value: Object) -> Object:
    return policy(ingress=[{"from": [value]}])


def test_everything_well_formed_is_taken() -> None:
    found = check(*WHOLE)
    assert len(found.objects) == len(WHOLE)
    assert not found.left_out


def test_without_a_namespace_it_is_default_and_nodes_have_none() -> None:
    namespaces_of = {value["kind"]: value["metadata"].get("namespace") for value in check(*WHOLE).objects}
    assert namespaces_of["Pod"] == "default"
    assert namespaces_of["Deployment"] == "shop"
    assert namespaces_of["Node"] is namespaces_of["Namespace"] is None


def test_null_is_absent() -> None:
    value = an_object("Pod", "a", {**pod_spec(), "initContainers": None}, labels=None, namespace=None)
    (found,) = check(value).objects
    assert "initContainers" not in found["spec"]
    assert found["metadata"] == {"name": "a", "namespace": "default"}


def test_an_object_that_holds_itself_is_no_endless_one() -> None:
    value = an_object("Pod", "a", pod_spec())
    value["loop"] = value
    assert check(value).objects[0]["metadata"]["name"] == "a"


def test_kinds_that_are_not_known_are_counted_by_their_group() -> None:
    route = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
    settings_map = {"apiVersion": "v1", "kind": "ConfigMap"}
    found = check(settings_map, settings_map, route, an_object("Node", "a"))
    assert found.left_out == {"ConfigMap": 2, "Service.serving.knative.dev": 1}
    assert len(found.objects) == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": "Pod"}, "object 1: apiVersion is missing"),
        ({"apiVersion": "v1"}, "object 1: kind is missing"),
        ({"apiVersion": "v1", "kind": "a\nb"}, r"object 1: kind: 'a\\nb' is none"),
        ({"apiVersion": "v1", "kind": "Pod"}, r"Pod \(object 1\): metadata is missing"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": []}, r"metadata: expected `object`, got `array`"),
        (an_object("Pod", "A"), r"metadata\.name: 'A': only a-z"),
        (an_object("Pod", "a/b"), r"metadata\.name: 'a/b': only a-z"),
        (an_object("Pod", ".."), r"metadata\.name: '\.\.': only a-z"),
        (an_object("Pod", "a\n"), r"metadata\.name: 'a\\n': only a-z"),
        (an_object("Pod", "a" * 254), r"metadata\.name: 254 characters, more than 253"),
        (an_object("Service", "a.b", {}), r"metadata\.name: 'a\.b': only a-z, 0-9, - are"),
        (an_object("Pod", "a", pod_spec(), namespace="a.b"), r"metadata\.namespace: 'a\.b'"),
        (an_object("Pod", "a"), "Pod default/a: spec is missing"),
        (an_object("Pod", "a", {}), "Pod default/a: spec: object missing required field `containers`"),
        (an_object("Pod", "a", {"containers": []}), r"spec\.containers: "),
        (an_object("Pod", "a", pod_spec({"containerPort": "80"})), r"spec\.containers\[0\]\.ports\[0\]\.containerPort"),
        (an_object("Pod", "a", pod_spec({"containerPort": 0})), r"containerPort: expected `int` >= 1"),
        (an_object("Pod", "a", {**pod_spec(), 1: 2}), "the key 1 is no text"),
        (workload("Deployment", "a", -1), r"Deployment default/a: spec\.replicas: expected `int` >= 0"),
        (an_object("Deployment", "a", {"template": template()}), "missing required field `selector`"),
        (an_object("Deployment", "a", {"template": template(), "selector": {}}), r"spec\.selector: it is empty"),
        (
            an_object("DaemonSet", "a", {"template": template(), "selector": {"matchLabels": {"app": "b"}}}),
            r"spec\.selector: it does not select",
        ),
        (an_object("CronJob", "a", {"schedule": ""}), "missing required field `jobTemplate`"),
        (an_object("Service", "a", {"ports": [{"port": 1, "protocol": "tcp"}]}), r"spec\.ports\[0\]\.protocol"),
        (an_object("Service", "a", {"ports": [{"port": 1, "targetPort": 0}]}), r"spec\.ports\[0\]\.targetPort"),
        (policy(ingress=[None]), r"spec\.ingress\[0\]: expected `object`, got `null`"),
        (policy(policyTypes=["ingress"]), r"spec\.policyTypes\[0\]: invalid enum value"),
        (policy(ingress=[{"ports": [{"endPort": 5}]}]), r"spec\.ingress\[0\]\.ports\[0\]\.endPort"),
        (policy(ingress=[{"ports": [{"port": 6, "endPort": 5}]}]), r"spec\.ingress\[0\]\.ports\[0\]\.endPort"),
        (policy(ingress=[{"ports": [{"port": 99999999}]}]), r"spec\.ingress\[0\]\.ports\[0\]\.port"),
        (peer({}), r"spec\.ingress\[0\]\.from\[0\]: expected podSelector"),
        (peer({"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}), "ipBlock stands with no selector"),
        (peer({"ipBlock": {"cidr": "10.0.0.0/40"}}), r"from\[0\]\.ipBlock: "),
        (peer({"ipBlock": {"cidr": "fe80::%a}/64"}}), r"from\[0\]\.ipBlock: "),
        (peer({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}), "except: 11.0.0.0/9 is not within"),
        (peer({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["::/9"]}}), "except: ::/9 is not within"),
        (peer({"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}), "In needs values"),
        (
            policy(podSelector={"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}),
            r"spec\.podSelector: matchExpressions: Exists needs no values",
        ),
        (an_object("NetworkPolicy", "a", {}, annotations={"conntrail.io/lab-deny": "no"}), "expected drop or reset"),
        (workload("Deployment", "a", annotations={SERVE: "http"}), r"template\.metadata\.annotations\[.*lab-serve\]"),
        (workload("Deployment", "a", annotations={SERVE: "ftp:21"}), "expected one of http"),
        (workload("Deployment", "a", annotations={CALL: "tcp"}), r"template\.metadata\.annotations\[.*lab-call\]"),
        (job("a", {CALL: '[{"kind": "tcp", "to": "b", "port": 1, "evry": 3}]'}), "unknown field `evry`"),
        (job("a", {CALL: '[{"kind": "tcp", "to": "b", "port": 1, "every": 0}]'}), r"`float` > 0.*every"),
        (job("a", {CALL: '[{"kind": "tcp", "to": "pod/b", "port": 1}]'}), "pod/namespace/workload"),
        (job("a", {CALL: '[{"kind": "tcp", "port": 1}]'}), "expected one of to and resolve"),
        (job("a", {CALL: '[{"kind": "tcp", "to": "b", "resolve": "b", "port": 1}]'}), "expected one of to and resolve"),
        (job("a", {CALL: '[{"kind": "http", "to": "b", "port": 1, "paths": ["x"]}]'}), r"matching regex.*paths"),
        (job("a", {CALL: '[{"kind": "dns", "to": "b", "port": 1, "names": ["a..b"]}]'}), r"matching regex.*names"),
        (cron_job("a", {SERVE: "http:http"}), r"jobTemplate\.spec\.template\.metadata\.annotations\[.*lab-serve\]"),
        (cron_job("a", None, {EVERY: "often"}), r"metadata\.annotations\[.*lab-every\]: often: expected at least 1"),
        (cron_job("a", None, {EVERY: "nan"}), r"lab-every\]: nan"),
    ],
)
def test_what_is_wrong_is_told_by_file_object_and_field(value: Object, message: str) -> None:
    with pytest.raises(CommandError, match=rf"^a\.yaml: .*{message}") as raised:
        check(value)
    assert "\n" not in str(raised.value)


def test_an_object_that_is_there_twice_is_refused_and_the_same_name_of_another_kind_is_not() -> None:
    with pytest.raises(CommandError, match=r"a\.yaml: Pod default/a is there twice"):
        check(an_object("Pod", "a", pod_spec()), an_object("Pod", "a", pod_spec(), namespace="default"))
    check(
        an_object("Pod", "a", pod_spec()),
        an_object("Service", "a", {}),
        an_object("Pod", "a", pod_spec(), namespace="b"),
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Of every part of a document."""
    keys: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value) if isinstance(value, list) else 0))
    )
    return [path, *(found for key in keys for found in places(value[key], (*path, key)))]


PLACES = [path for path in places(WHOLE) if path]
JUNK = st.sampled_from([None, "", "x", 0, -1, 1 << 40, 1.5, True, [], {}, [None], {"a": None}, [{}], "\n", "a" * 300])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
@example([((10, "metadata", "annotations", "conntrail.io/lab-every"), "\n")])
@example([((4, "metadata", "namespace"), "")])
def test_whatever_is_broken_is_one_line_or_a_cluster(faults: list[tuple[tuple[Any, ...], Any]]) -> None:
    objects = copy.deepcopy(WHOLE)
    for (*path, last), junk in faults:
        part: Any = objects
        try:
            for key in path:
                part = part[key]
            part[last] = copy.deepcopy(junk)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier fault took the place away
    fault = ""
    try:
        cluster = build_cluster(check(*(value for value in objects if isinstance(value, dict))).objects, AT)
        check_calls(cluster)
        names = namespaces(cluster)
        assert len(set(names)) == len(names)
        assert shown(cluster)
        assert all(ruleset(cluster, node) for node in cluster.nodes)
    except CommandError as error:
        fault = str(error)
    assert "\n" not in fault
