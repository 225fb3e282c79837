from dataclasses import replace
from typing import Any

import pytest

from agents.node.capability.record import NAMES, Capability
from agents.node.capability.right import RIGHTS
from conntrail.doctor.node.check import CHECKS
from conntrail.doctor.node.dataplane import (
    Netfilter,
    exempts_from_conntrack,
    judge_cni,
    judge_dataplane,
    judge_tracking,
)
from conntrail.doctor.node.judge import NodeFacts, judge_node, judge_record, judge_rights

_PLAIN = Netfilter(frozenset({"lo", "eth0"}), frozenset(), frozenset(), has_legacy_tables=False, has_ipvs=False)
_ALL = sum(1 << right.number for right in RIGHTS)


@pytest.mark.parametrize(
    ("links", "cni"),
    [
        ({"cilium_host", "cilium_net", "lxc12ab"}, "Cilium"),
        ({"cali0123456789a", "tunl0"}, "Calico"),
        ({"antrea-gw0"}, "Antrea"),
        ({"ovn-k8s-mp0"}, "OVN-Kubernetes"),
        ({"flannel.1", "cni0"}, "Flannel"),
        ({"cni0", "veth1"}, "the bridge plug-in"),
    ],
)
def test_a_cni_is_known_by_its_links(links: set[str], cni: str) -> None:
    assert judge_cni(replace(_PLAIN, links=links)).found == cni


@pytest.mark.parametrize(
    ("netfilter", "proxy"),
    [
        (replace(_PLAIN, chains={"KUBE-SERVICES", "POSTROUTING"}), "kube-proxy by iptables"),
        (replace(_PLAIN, tables={"ip kube-proxy"}), "kube-proxy by nftables"),
        (replace(_PLAIN, has_ipvs=True, chains={"KUBE-SERVICES"}), "kube-proxy by IPVS"),
    ],
)
def test_who_translates_services_is_told_and_conntrack_sees_it(netfilter: Netfilter, proxy: str) -> None:
    found = judge_dataplane(netfilter)
    assert (found.state, found.found) == ("ok", f"netfilter; Services by {proxy}")


def test_cilium_without_kube_proxy_bypasses_conntrack() -> None:
    found = judge_dataplane(replace(_PLAIN, links={"cilium_host"}))
    assert found.state == "degraded"
    assert "conntrack is bypassed" in found.found
    assert "sockets" in found.document()["lost"]


def test_calicos_ebpf_and_cilium_beside_kube_proxy_may_bypass_it() -> None:
    calico = judge_dataplane(replace(_PLAIN, links={"bpfin.cali", "cali1"}))
    beside = judge_dataplane(replace(_PLAIN, links={"cilium_host"}, chains={"KUBE-SERVICES"}))
    assert (calico.state, beside.state) == ("degraded", "degraded")
    assert "kube-proxy by iptables" in beside.found


@pytest.mark.parametrize(("link", "name"), [("antrea-gw0", "Antrea"), ("ovn-k8s-mp0", "OVN-Kubernetes")])
def test_open_vswitch_passes_the_hooks_that_denials_and_dns_are_read_at(link: str, name: str) -> None:
    found = judge_dataplane(replace(_PLAIN, links={link}, chains={"KUBE-SERVICES"}))
    assert (found.state, found.found) == ("degraded", f"{name} forwards pods by Open vSwitch")
    assert found.document()["lost"].startswith("denials, DNS and heads of HTTP and TLS between pods")


def test_rules_that_exempt_packets_from_conntrack_are_told_with_their_table() -> None:
    assert judge_tracking(_PLAIN).state == "ok"
    assert judge_tracking(replace(_PLAIN, has_legacy_tables=True)).state == "skipped"
    found = judge_tracking(replace(_PLAIN, exempting={"ip raw", "inet own"}))
    assert (found.state, found.found) == ("degraded", "rules without tracking in inet own, ip raw")


@pytest.mark.parametrize(
    ("expression", "is_exempt"),
    [
        ({"notrack": None}, True),
        ({"xt": {"type": "target", "name": "CT"}}, True),
        ({"xt": {"type": "target", "name": "LOG"}}, False),
        ({"accept": None}, False),
    ],
)
def test_a_rule_that_exempts_is_known_by_its_statement(expression: dict[str, Any], is_exempt: bool) -> None:
    listed = [{"metainfo": {}}, {"chain": {"name": "PREROUTING"}}, {"rule": {"expr": [{"counter": None}, expression]}}]
    assert exempts_from_conntrack(listed) is is_exempt


def test_a_right_that_is_lacking_is_named_with_what_it_is_for() -> None:
    assert judge_rights(_ALL).state == "ok"
    for right in RIGHTS:
        found = judge_rights(_ALL & ~(1 << right.number))
        assert found.state == ("missing" if right.is_essential else "degraded")
        assert f"CAP_{right.name}" in found.found
        assert right.reason in found.found


def test_findings_are_the_entries_of_the_capability_record() -> None:
    record = [Capability("sockets", "ok"), Capability("processes", "degraded", "without CAP_SYS_PTRACE")]
    seen, lost = judge_record(record)
    assert (seen.state, seen.check.name) == ("ok", "sockets")
    told = {name: lost.document()[name] for name in ("state", "lost", "remedy")}
    assert told == {name: value for name, value in record[1].describe().items() if name != "reason"}
    assert lost.found == record[1].reason


def test_every_entry_of_the_record_is_a_check() -> None:
    record = tuple(Capability(name, "ok") for name in NAMES)
    found = judge_node(NodeFacts("6.1", _ALL, _PLAIN, record))
    assert tuple(finding.check for finding in found) == CHECKS
    assert {finding.state for finding in found} == {"ok"}
