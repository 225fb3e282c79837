"""What of a policy is refused, by file, object and field: left out, it would say something else."""

from typing import Any

import pytest

from conntrail.errors import CommandError
from conntrail.lab.policy.stack import policy_stack
from tests.unit.conntrail.lab.builders import Object, an_object, built, calico, check

SUBJECT: Object = {"namespaces": {}}
ANYBODY: Object = {"namespaces": {}}


def admin(kind: str = "AdminNetworkPolicy", name: str = "default", **spec: Any) -> Object:
    place = {"AdminNetworkPolicy": {"priority": 1}, "ClusterNetworkPolicy": {"priority": 1, "tier": "Admin"}}
    return an_object(kind, name, {"subject": SUBJECT, **place.get(kind, {}), **spec})


def ingress(**rule: Any) -> Object:
    return admin(ingress=[{"action": "Deny", "from": [ANYBODY], **rule}])


def cluster_ingress(**rule: Any) -> Object:
    return admin("ClusterNetworkPolicy", ingress=[{"action": "Deny", "from": [ANYBODY], **rule}])


def egress(**peer: Any) -> Object:
    return admin(egress=[{"action": "Deny", "to": [peer]}])


def rule(**fields: Any) -> Object:
    return calico("p", ingress=[{"action": "Allow", **fields}])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (admin(priority=1001), r"AdminNetworkPolicy default: spec\.priority: "),
        (admin(subject={}), r"spec\.subject: expected exactly one of namespaces, pods"),
        (admin(subject={**SUBJECT, "pods": {}}), r"spec\.subject: expected exactly one of"),
        (admin(subject={"namespaces": {"namespaceSelector": {}}}), "does not enforce the field `namespaceSelector`"),
        (admin("BaselineAdminNetworkPolicy", "other"), r"metadata\.name: the only one there may be is called default"),
        (admin("BaselineAdminNetworkPolicy", ingress=[{"action": "Pass", "from": [ANYBODY]}]), "enum value 'Pass'"),
        (admin("ClusterNetworkPolicy", tier="Other"), "enum value 'Other'"),
        (ingress(**{"from": []}), r"spec\.ingress\[0\]\.from: "),
        (ingress(**{"from": [{"networks": ["10.0.0.0/8"]}]}), r"from\[0\]: the lab does not enforce.*`networks`"),
        (ingress(ports=[{}]), r"spec\.ingress\[0\]\.ports\[0\]: expected exactly one of portNumber"),
        (ingress(ports=[{"portRange": {"start": 2, "end": 1}}]), r"ports\[0\]\.portRange: end is below start"),
        (ingress(protocols=[]), "does not enforce the field `protocols`"),
        (cluster_ingress(action="Allow"), "enum value 'Allow'"),
        (cluster_ingress(protocols=[{"tcp": {}, "udp": {}}]), r"protocols\[0\]: expected exactly one of tcp"),
        (cluster_ingress(protocols=[{"tcp": {"destinationPort": {}}}]), r"tcp\.destinationPort: expected exactly one"),
        (egress(domainNames=["a.example"]), r"spec\.egress\[0\]\.to\[0\]: the lab does not enforce.*`domainNames`"),
        (egress(networks=["10.0.0.0"]), r"networks\[0\]: '10\.0\.0\.0' has no prefix length"),
        (egress(networks=["fe80::%a}/64"]), r"networks\[0\]: a network has no zone"),
        (egress(nodes={"matchExpressions": [{"key": "a", "operator": "In"}]}), r"to\[0\]: .*In needs values"),
        ({**admin(), "apiVersion": "policy.networking.k8s.io/v1alpha9"}, "the lab reads policy.networking.*v1alpha1"),
        (calico("p", selector="a ="), r"GlobalNetworkPolicy p: spec\.selector: '=' is not understood"),
        (calico("p", namespaceSelector="a =="), r"spec\.namespaceSelector: it ends too early"),
        (calico("p", "shop", namespaceSelector="all()"), r"NetworkPolicy\.projectcalico\.org shop/p: .*`namespaceS"),
        (calico("p", doNotTrack=True), "spec: the lab does not enforce the field `doNotTrack`"),
        (calico("p", types=["ingress"]), r"spec\.types\[0\]: invalid enum value"),
        (calico("p", order=float("nan")), r"spec\.order: expected a number"),
        (rule(action="Reject"), "enum value 'Reject'"),
        (rule(http={}), r"spec\.ingress\[0\]: the lab does not enforce the field `http`"),
        (rule(source={"domains": ["a"]}), r"ingress\[0\]\.source: the lab does not enforce the field `domains`"),
        (rule(source={"ports": [1]}), r"ingress\[0\]\.source: the lab does not enforce the field `ports`"),
        (rule(source={"nets": ["10.0.0.0/99"]}), r"ingress\[0\]\.source\.nets\[0\]: "),
        (rule(source={"selector": "(" * 60 + "all()"}), "parentheses within parentheses"),
        (rule(destination={"ports": [80]}), r"destination\.ports: ports need protocol TCP, UDP or SCTP"),
        (rule(protocol="TCP", destination={"ports": ["9:1"]}), r"destination\.ports\[0\]: '9:1' is neither"),
        (rule(protocol="TCP", destination={"ports": [-1]}), r"destination\.ports\[0\]: -1 is neither"),
        (rule(protocol="TCP", destination={"ports": [""]}), r"destination\.ports\[0\]: '' is neither"),
        (rule(protocol="TCP", destination={"notPorts": ["web"]}), r"notPorts\[0\]: .* not the name 'web'"),
        (rule(protocol="IPIP"), r"ingress\[0\]\.protocol: "),
        (an_object("Tier", "t", {"defaultAction": "Allow"}), r"Tier t: spec\.defaultAction: invalid enum"),
        (an_object("GlobalNetworkSet", "s", {"nets": ["a"]}), r"GlobalNetworkSet s: spec\.nets\[0\]: "),
        (an_object("GlobalNetworkSet", "s", {"allowedEgressDomains": ["a"]}), "field `allowedEgressDomains`"),
        (an_object("StagedNetworkPolicy", "s", {"stagedAction": "Learn"}), "enum value 'Learn'"),
        (
            {**an_object("CiliumNetworkPolicy", "c", {}), "apiVersion": "cilium.io/v2"},
            r"object 1: the lab enforces no CiliumNetworkPolicy of cilium\.io",
        ),
        (
            {**an_object("NetworkPolicy", "c", {}), "apiVersion": "crd.projectcalico.org/v1"},
            "the lab enforces no NetworkPolicy of crd",
        ),
    ],
)
def test_what_cannot_be_enforced_is_told_by_file_object_and_field(value: Object, message: str) -> None:
    with pytest.raises(CommandError, match=rf"^a\.yaml: .*{message}") as raised:
        check(value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "value", [calico("p", "shop", tier="gone"), an_object("StagedNetworkPolicy", "p", {"tier": "gone"})]
)
def test_a_policy_of_a_tier_that_is_not_there_is_refused(value: Object) -> None:
    with pytest.raises(CommandError, match=r"/p: spec\.tier: there is no Tier gone"):
        policy_stack(built(value))


def test_policies_of_two_groups_may_share_kind_and_name() -> None:
    own = an_object("NetworkPolicy", "p", {}, namespace="shop")
    found = check(own, calico("p", "shop"))
    assert len(found.objects) == 2
    with pytest.raises(CommandError, match=r"NetworkPolicy\.projectcalico\.org shop/p is there twice"):
        check(own, calico("p", "shop"), calico("p", "shop"))


def test_cluster_wide_kinds_have_no_namespace() -> None:
    (found,) = check(an_object("Tier", "t", namespace="shop")).objects
    assert "namespace" not in found["metadata"]
    assert found["spec"] == {}
