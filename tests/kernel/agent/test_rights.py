"""With exactly the capabilities of the list all is seen; with one less, what is lost is told, and truly is.

That the agent passes its other tests with these capabilities is seen by these: AgentProcess starts it so.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agents.node.attempt.reader import AttemptReader
from agents.node.attempt.writer import AttemptRules
from agents.node.capability.record import NAMES
from agents.node.capability.right import RIGHTS, Right
from agents.node.payload.reader import PayloadReader
from runtime.settings import AgentSettings
from tests.kernel.agent.network import Network, is_root, run
from tests.kernel.agent.process import with_rights
from tests.support.user import UID

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(not is_root(), reason="network namespaces need root")]


@dataclass(frozen=True)
class Seen:
    """By an agent on the node, with some capabilities."""

    record: dict[str, dict[str, str]]
    named: bool
    """The process of another user that holds a socket."""
    found: bool
    """The namespace that only that process is in."""

    @property
    def lost(self) -> set[str]:
        return {name for name, told in self.record.items() if told["state"] != "ok"}


class Node:
    """A node's network namespace, with a pod in another."""

    def __init__(self, network: Network, pod: "subprocess.Popen[str]") -> None:
        self.network = network
        assert pod.stdout is not None
        self.inode, self.namespace = (int(word) for word in pod.stdout.readline().split())

    def see(self, rights: Iterable[Right]) -> Seen:
        command = [sys.executable, "-m", "tests.kernel.agent.rights_program", str(self.inode)]
        found: dict[str, Any] = json.loads(
            run("ip", "netns", "exec", self.network.node, *with_rights(rights), *command).splitlines()[-1]
        )
        return Seen(found["record"], str(self.inode) in found["processes"], self.namespace in found["namespaces"])


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    network = Network(f"ctrights{os.getpid()}")
    network.remove()
    program = Path(__file__).with_name("socket_program.py")
    try:
        network.build()
        with subprocess.Popen(
            ["unshare", "--net", sys.executable, str(program), str(UID)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as pod:
            yield Node(network, pod)
            assert pod.stdin is not None
            pod.stdin.close()
    finally:
        network.remove()


def test_with_exactly_these_rights_everything_is_seen(node: Node) -> None:
    seen = node.see(RIGHTS)
    assert (set(seen.record), seen.lost) == (set(NAMES), set())
    assert seen.named
    assert seen.found


@pytest.mark.parametrize("right", RIGHTS, ids=lambda right: right.name)
def test_with_one_less_the_record_says_what_is_lost(node: Node, right: Right) -> None:
    seen = node.see([one for one in RIGHTS if one != right])
    assert seen.lost == set(right.lost)
    for name in right.lost:
        assert f"CAP_{right.name}" in seen.record[name]["reason"]
    assert seen.named is ("processes" not in right.lost)
    assert seen.found is (right.name != "SYS_PTRACE")


def test_a_right_that_holds_another_does_as_well(node: Node) -> None:
    wider = Right("DAC_OVERRIDE", 1, "", ())
    seen = node.see([*(one for one in RIGHTS if one.name != "DAC_READ_SEARCH"), wider])
    assert (seen.lost, seen.named) == (set(), True)


def test_a_trial_leaves_a_running_agent_its_groups_and_rules(node: Node) -> None:
    path, settings = node.network.path(node.network.node), AgentSettings()
    rules, reader = AttemptRules(path, settings.nflog_group, 2000), AttemptReader(path, settings.nflog_group, 1 << 20)
    try:
        reader.start()
        rules.install()
        before = node.network.tables()
        assert node.see(RIGHTS).lost == set()
        assert node.network.tables() == before
        assert rules.read_cut() == 0
    finally:
        rules.remove()
        reader.close()


def test_a_group_that_somebody_else_has_is_told(node: Node) -> None:
    reader = PayloadReader(node.network.path(node.network.node), AgentSettings().payload_group, 1 << 20)
    try:
        reader.start()
        seen = node.see(RIGHTS)
    finally:
        reader.close()
    assert seen.lost == {"dns", "applications"}
    assert "CONNTRAIL_AGENT__PAYLOAD_GROUP" in seen.record["dns"]["reason"]
    assert "conntrail" not in node.network.tables()


def test_doctor_tells_the_same_as_the_record_and_names_the_right(node: Node) -> None:
    rights = [right for right in RIGHTS if right.name != "SYS_PTRACE"]
    found = _findings(node, rights)
    assert found["rights"]["state"] == "degraded"
    assert "CAP_SYS_PTRACE" in found["rights"]["found"]
    for name, told in node.see(rights).record.items():
        assert found[name]["state"] == told["state"]
        assert [found[name].get(word) for word in ("lost", "remedy")] == [told.get(word) for word in ("lost", "remedy")]


def test_doctor_tells_of_rules_that_exempt_packets_from_conntrack(node: Node) -> None:
    assert _findings(node, RIGHTS)["tracking"]["state"] == "ok"
    chain = "add chain ip raw PREROUTING { type filter hook prerouting priority raw; }"
    rules = f"add table ip raw; {chain}; add rule ip raw PREROUTING udp dport 53 notrack"
    run("ip", "netns", "exec", node.network.node, "nft", rules)
    found = _findings(node, RIGHTS)["tracking"]
    assert (found["state"], found["found"]) == ("degraded", "rules without tracking in ip raw")


def _findings(node: Node, rights: Iterable[Right]) -> dict[str, dict[str, str]]:
    command = [sys.executable, "-m", "conntrail", "doctor", "node", "-o", "json"]
    told = json.loads(run("ip", "netns", "exec", node.network.node, *with_rights(rights), *command))
    return {finding["check"]: finding for finding in told}
