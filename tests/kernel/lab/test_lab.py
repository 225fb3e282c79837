"""The lab in the kernel: what its manifests promise is what its programs see, and nothing stays behind."""

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from conntrail.errors import CommandError
from conntrail.lab.main import Lab
from conntrail.lab.rootless.reader import user_name
from conntrail.lab.state import Layout
from conntrail.lab.traffic.writer import Programs, end
from tests.support.lab import Fact, command, namespaces_left, result_of, running_lab, traffic_of, traffic_until
from tests.support.waiting import until
from tests.support.witness import parse_listing

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
OUTCOMES = {"allowed": {"answered"}, "denied": {"timeout", "refused"}, "refused": {"refused"}}
ENDS = ("protocol", "source_address", "source_port", "dialled_address", "dialled_port")
JOBS = ("import", "export")
BLOCK_DNS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: quiet, namespace: kube-system}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def facts(lab: Lab) -> list[Fact]:
    return traffic_until(lambda facts: {fact["client"]["workload"] for fact in facts}.issuperset(JOBS), lab, 8)


def namespaces() -> list[str]:
    return os.listdir("/run/netns")  # noqa: PTH208 - names are wanted, not paths


def is_listening(namespace: str, port: int) -> bool:
    words = ["ip", "netns", "exec", namespace, "ss", "-Hltn", f"sport = :{port}"]
    return bool(subprocess.run(words, check=True, capture_output=True).stdout)


def objects_of(lab: Lab, kind: str) -> list[Fact]:
    listing = yaml.safe_load((lab.cluster_directory / "objects.yaml").read_text())
    return [value for value in listing["items"] if value["kind"] == kind]


def outcomes_of_calls(lab: Lab, *ports: int) -> list[str]:
    before = len(lab.truth())
    lab.call("shop/frontend", {"kind": "tcp", "to": "postgres.data"}, ports)
    return [fact["outcome"] for fact in lab.truth()[before:]]


def test_the_kernel_does_what_the_truth_expects(facts: list[Fact]) -> None:
    wrong = [fact for fact in facts if fact["outcome"] not in OUTCOMES[fact["expected"]]]
    assert not wrong, f"{len(wrong)} of {len(facts)}, the first: {json.dumps(wrong[0])}"


def test_every_kind_of_connection_happens(facts: list[Fact]) -> None:
    kinds = Counter((f["protocol"], f["family"], f["expected"], f["direction"]) for f in facts)
    for kind in (
        ("tcp", "ipv4", "allowed", ""),
        ("tcp", "ipv6", "allowed", ""),
        ("udp", "ipv4", "allowed", ""),
        ("udp", "ipv6", "allowed", ""),
        ("icmp", "ipv4", "allowed", ""),
        ("tcp", "ipv4", "denied", "ingress"),
        ("tcp", "ipv6", "denied", "ingress"),
        ("udp", "ipv4", "denied", "ingress"),
        ("tcp", "ipv4", "denied", "egress"),
        ("udp", "ipv4", "denied", "egress"),
        ("tcp", "ipv4", "refused", ""),
    ):
        assert kinds[kind] > 0, kind


def test_a_policy_that_resets_refuses_tcp_and_keeps_silent_to_udp(facts: list[Fact]) -> None:
    outcomes = defaultdict(set)
    for fact in facts:
        if fact["policy"] == "guest/contained":
            outcomes[fact["protocol"]].add(fact["outcome"])
    assert outcomes == {"tcp": {"refused"}, "udp": {"timeout"}}


def test_a_service_without_endpoints_refuses(facts: list[Fact]) -> None:
    assert {fact["outcome"] for fact in facts if fact["service"] == "data/archive"} == {"refused"}


def test_one_connection_stays_for_the_whole_time(facts: list[Fact]) -> None:
    assert any(f["ended_at_ns"] - f["started_at_ns"] > 6e9 and f["outcome"] == "answered" for f in facts)


def test_an_address_goes_from_pod_to_pod_within_seconds(facts: list[Fact]) -> None:
    pods = defaultdict(list)
    for fact in facts:
        if fact["client"]["workload"] in JOBS:
            pods[fact["source_address"]].append(fact["client"])
    assert max(len({client["uid"] for client in clients}) for clients in pods.values()) >= 2
    assert all({client["workload"] for client in clients} == set(JOBS) for clients in pods.values())


def test_pods_that_ended_are_gone_from_objects_and_machine(lab: Lab, facts: list[Fact]) -> None:
    ended = {f"shop.{f['client']['pod']}" for f in facts if f["client"]["workload"] in JOBS}
    shown = {f"{pod['metadata']['namespace']}.{pod['metadata']['name']}" for pod in objects_of(lab, "Pod")}
    assert ended
    assert not ended & shown
    assert not namespaces_left(ended)


def test_a_pod_gets_the_slot_of_one_whose_network_somebody_still_looks_into(lab: Lab) -> None:
    held: list[int] = []
    stays = set(namespaces())
    traffic = threading.Thread(target=traffic_until, args=(lambda _: len(held) >= 2, lab, 7))
    traffic.start()
    try:
        while traffic.is_alive():
            for name in set(namespaces()) - stays:
                stays.add(name)
                held.append(os.open(f"/run/netns/{name}", os.O_RDONLY))
            time.sleep(0.02)
    finally:
        traffic.join()
        for descriptor in held:
            os.close(descriptor)
    found = [f for f in lab.truth() if f"shop.{f['client']['pod']}" in stays and f["client"]["workload"] in JOBS]
    assert len(found) == len(held) >= 2
    assert {f["outcome"] for f in found} == {"answered"}
    assert len({f["source_address"] for f in found}) == 1


def test_conntrack_counts_at_least_the_payload_of_the_truth(lab: Lab) -> None:
    for node in lab.nodes:
        subprocess.run(["ip", "netns", "exec", node, "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1"], check=True)
        subprocess.run(["ip", "netns", "exec", node, "conntrack", "-F"], check=True, capture_output=True)
    facts = traffic_of(lab, 2)
    tracked = {entry.key: entry for node in lab.nodes for entry in parse_listing(lab.conntrack(node))}
    answered = [f for f in facts if f["protocol"] == "tcp" and f["outcome"] == "answered"]
    assert answered
    for fact in answered:
        entry = tracked[tuple(fact[name] for name in ENDS)]
        assert entry.original_bytes > fact["sent"]
        assert entry.reply_bytes > fact["received"]


def test_a_policy_applied_while_traffic_runs_denies_from_then_on_and_not_after_its_removal(
    lab: Lab, tmp_path: Path
) -> None:
    path = tmp_path / "quiet.yaml"
    path.write_text(BLOCK_DNS)
    before = len(lab.truth())

    def dns() -> list[Fact]:
        return [f for f in lab.truth()[before:] if f["service"] == "kube-system/kube-dns"]

    traffic = command(lab.layout.root, "traffic", "--duration", "90")
    try:
        until(lambda: len(dns()) >= 2)
        asked_at = time.time_ns()
        applied = command(lab.layout.root, "apply", str(path))
        assert applied.wait(90) == 0, applied.stderr and applied.stderr.read()
        applied_at = time.time_ns()
        until(lambda: sum(f["started_at_ns"] > applied_at for f in dns()) >= 4)
        deleting_at = time.time_ns()
        lab.delete(path)
        deleted_at = time.time_ns()
        until(lambda: any(f["started_at_ns"] > deleted_at and f["outcome"] == "answered" for f in dns()))
    finally:
        traffic.send_signal(signal.SIGINT)
        result_of(traffic)
    facts = dns()
    assert {f["outcome"] for f in facts if f["ended_at_ns"] < asked_at} == {"answered"}
    # A port that was used before, also by an earlier test, is of a connection that the kernel lets go on.
    used = {(f["source_address"], f["source_port"]) for f in lab.truth() if f["started_at_ns"] <= applied_at}
    between = [
        f
        for f in facts
        if applied_at < f["started_at_ns"]
        and f["ended_at_ns"] < deleting_at
        and (f["source_address"], f["source_port"]) not in used
    ]
    assert between
    answered = [fact for fact in between if fact["outcome"] != "timeout"]
    assert not answered, f"{len(answered)} of {len(between)}: {json.dumps(answered[0])}"


def test_a_server_that_cannot_listen_is_told_and_one_that_can_is_listening(lab: Lab, tmp_path: Path) -> None:
    programs = Programs(Layout(tmp_path))
    node = next(iter(lab.nodes))
    first = programs.serve(node, "first", "tcp:7001,udp:7001")
    second = None
    try:
        programs.await_listening([first, None], 30)
        assert is_listening(node, 7001)
        second = programs.serve(node, "second", "tcp:7001")
        with pytest.raises(CommandError, match="a server in the lab failed"):
            programs.await_listening([second], 30)
    finally:
        end([process for process in (first, second) if process])


def test_no_node_still_makes_sure_that_an_address_is_its_own(lab: Lab) -> None:
    for node in lab.nodes:
        words = ["ip", "-n", node, "-6", "address", "show", "tentative"]
        assert subprocess.run(words, check=True, capture_output=True).stdout == b""


def test_a_second_traffic_is_refused_and_the_first_goes_on(lab: Lab) -> None:
    before = len(lab.truth())
    first = command(lab.layout.root, "traffic", "--duration", "6")
    try:
        until(lambda: len(lab.truth()) > before)
        with pytest.raises(CommandError, match="traffic is made already"):
            lab.traffic(1)
    finally:
        assert first.wait(90) == 0


def test_a_policy_that_is_not_sound_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    document = yaml.safe_load(BLOCK_DNS)
    document["spec"]["ingress"] = [{"ports": [{"port": 99999999}]}]
    path.write_text(yaml.safe_dump(document))
    before = objects_of(lab, "NetworkPolicy")
    with pytest.raises(CommandError):
        lab.apply(path)
    assert objects_of(lab, "NetworkPolicy") == before
    assert all(
        f["outcome"] == "answered" for f in traffic_of(lab, 1) if f["protocol"] == "udp" and f["expected"] == "allowed"
    )


def test_what_is_stopped_refuses_until_it_is_started_and_its_pod_counts_as_restarted(lab: Lab) -> None:
    (postgres,) = lab.pods("data/postgres")
    lab.stop("data/postgres")
    assert outcomes_of_calls(lab, 5432) == ["refused"]
    with pytest.raises(CommandError, match="no program serves there"):
        lab.stop("data/postgres")
    lab.start("data/postgres")
    assert outcomes_of_calls(lab, 5432) == ["answered"]
    with pytest.raises(CommandError, match="nothing was stopped there"):
        lab.start("data/postgres")
    restarts = {
        pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in objects_of(lab, "Pod")
    }
    assert [name for name, count in restarts.items() if count] == [postgres.name]


def test_a_service_leads_to_no_pod_that_is_not_ready(lab: Lab) -> None:
    lab.set_ready("data/postgres", is_ready=False)
    assert outcomes_of_calls(lab, 5432) == ["refused"]
    lab.set_ready("data/postgres", is_ready=True)
    assert outcomes_of_calls(lab, 5432) == ["answered"]


def test_whoever_changes_it_stands_in_its_audit_log(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "quiet.yaml"
    path.write_text(BLOCK_DNS)
    before = len(lab.audit_path.read_text().splitlines())
    applied = command(lab.layout.root, "apply", str(path), "--as", "jane")
    assert result_of(applied)[0] == 0
    lab.delete(path)
    told = [json.loads(line) for line in lab.audit_path.read_text().splitlines()[before:]]
    assert [(one["verb"], one["user"]["username"], one["objectRef"]["name"]) for one in told] == [
        ("create", "jane", "quiet"),
        ("delete", user_name(), "quiet"),
    ]


def test_a_second_lab_is_refused_and_the_first_one_lives(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="already"):
        lab.up()
    other = Lab(tmp_path / "other")
    with pytest.raises(CommandError, match="there already"):
        other.up()
    other.down()
    assert all(Path(path).exists() for path in lab.nodes.values())
    assert lab.execute("shop/frontend", ["true"]) == 0


def test_objects_name_every_pods_addresses_and_owner(lab: Lab) -> None:
    shown = {pod["metadata"]["name"]: pod for pod in objects_of(lab, "Pod")}
    for pod in lab.status()["pods"]:
        found = shown[pod["name"]]
        assert [entry["ip"] for entry in found["status"]["podIPs"]] == pod["addresses"]
        assert found["spec"]["nodeName"] == pod["node"]
        assert found["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
