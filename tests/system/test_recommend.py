"""Recommended policies, applied where the kernel enforces them: traffic goes on, and nothing else begins."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from tests.support.observed import Document, Observed, dump, is_root, observed
from tests.support.parts import SECOND
from tests.support.pipeline import run_command
from tests.support.stack import RunningStack
from tests.support.truth import begins, first, nanoseconds

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(500),
]
SECONDS = 14
LAG_NS = 2 * SECOND
"""Until what was applied is known to be enforced."""
DIAL = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close()"
Door = tuple[str, str, str, int]
"""Client workload, protocol, dialled address and port."""


@dataclass
class Applied:
    """A lab in which the recommended policies are enforced, and what was before."""

    run: Observed
    directory: Path
    answer: "CompletedProcess[str]"
    before: list[Document]
    after: list[Document]
    at_ns: int
    """When they were applied, Unix time in ns."""
    new: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Exit statuses of a connection that nobody was seen making, before and after."""

    def flows(self, since_ns: float, until_ns: float) -> list[Document]:
        """Documents of connections that began then."""
        return [
            document
            for document in self.run.flows()
            if begins(document) and since_ns < nanoseconds(first(document, "event.start")) < until_ns
        ]


def recommend(run: Observed, *options: str) -> "CompletedProcess[str]":
    environment = {f"CONNTRAIL_{name}": value for name, value in run.plan.settings.items()}
    return run_command({**os.environ, **environment}, "policy", "recommend", "--since", "30m", *options)


@pytest.fixture(scope="module")
def applied(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """Traffic, what is recommended from it, and the same traffic again under it."""
    directory = tmp_path_factory.mktemp("recommend")
    with observed(stack, directory) as run:
        run.run_traffic(SECONDS)
        before = run.truth()
        answer = recommend(run)
        assert answer.returncode == 0, answer.stderr
        keeping = recommend(run, "--keep-icmp")
        assert keeping.returncode == 0, keeping.stderr
        (directory / "keeping.yaml").write_text(keeping.stdout)
        tried = {name: dial(run, *new) for name, new in NEW.items()}
        (directory / "recommended.yaml").write_text(answer.stdout)
        at_ns = time.time_ns()
        run.lab.apply(directory / "recommended.yaml")
        run.run_traffic(SECONDS)
        yield Applied(
            run, directory, answer, before, run.truth()[len(before) :], at_ns,
            {name: (status, dial(run, *NEW[name])) for name, status in tried.items()},
        )  # fmt: skip


NEW = {
    "to a peer that it never called": ("shop/payment", "shop/frontend", 8080),
    "to a port that nobody called": ("shop/frontend", "data/postgres", 5432 + 1),
    "from another namespace": ("data/metrics", "shop/payment", 8443),
    "out of the cluster": ("shop/frontend", "192.0.2.10", 443),
}
"""Client, server, port; all but the second pass before, since nothing selects the ends."""


def dial(run: Observed, client: str, server: str, port: int) -> int:
    address = server if server[0].isdigit() else run.lab.pod(server).addresses[0]
    return run.lab.execute(client, [sys.executable, "-c", DIAL, address, str(port)])


def doors(facts: list[Document]) -> dict[Door, set[str]]:
    found: dict[Door, set[str]] = {}
    for fact in facts:
        door = (fact["client"]["workload"], fact["protocol"], fact["dialled_address"], fact["dialled_port"])
        found.setdefault(door, set()).add(fact["outcome"])
    return found


def test_nothing_that_was_answered_before_is_denied_but_what_was_warned_of(applied: Applied) -> None:
    before, after = doors(applied.before), doors(applied.after)
    went_on = {door for door, outcomes in before.items() if "answered" in outcomes}
    assert len(went_on) >= 10
    # A pod that comes and goes has the address of its turn; its workload is in both runs.
    assert {door[:2] for door in went_on} == {door[:2] for door in after if door in went_on}
    broken = {door for door in went_on if after.get(door, {"answered"}) != {"answered"}}
    assert {door[1] for door in broken} == {"icmp"}, broken
    assert "WARNING" in applied.answer.stdout
    assert "guest/intruder to shop/frontend ICMP" in applied.answer.stdout


def test_what_was_denied_before_is_still_denied(applied: Applied) -> None:
    before, after = doors(applied.before), doors(applied.after)
    denied = {door for door, outcomes in before.items() if "answered" not in outcomes}
    assert len(denied & after.keys()) >= 5
    assert not [door for door in denied & after.keys() if "answered" in after[door]]


def test_a_connection_outside_the_set_is_denied(applied: Applied) -> None:
    ended = {name: (before == 0, after == 0) for name, (before, after) in applied.new.items()}
    assert ended.pop("to a port that nobody called") == (False, False)
    assert set(ended.values()) == {(True, False)}, ended


def test_what_flows_told_before_they_tell_after_and_no_verdict_drifts(applied: Applied) -> None:
    before, after = applied.flows(0, applied.at_ns), applied.flows(applied.at_ns + LAG_NS, time.time_ns())
    kept = {door for door, actions in actions_of(before).items() if actions == {"allowed"}}
    found = actions_of(after)
    assert len(kept & found.keys()) >= 10
    changed = {door: found[door] for door in kept & found.keys() if found[door] != {"allowed"}}
    assert {door[2] for door in changed} == {"icmp"}, changed
    drifting = [document for document in after if first(document, "policy.drift")]
    assert not drifting, dump(drifting)


def actions_of(flows: list[Document]) -> dict[tuple[str, ...], set[str]]:
    """What became of connections between each pair of workloads at each port; without those that this test tried."""
    names = (
        "source.kubernetes.workload.name", "destination.kubernetes.workload.name", "network.transport",
        "destination.port", "destination.ip",
    )  # fmt: skip
    tried = {(client.partition("/")[2], str(port)) for client, _, port in NEW.values()}
    found: dict[tuple[str, ...], set[str]] = {}
    for document in flows:
        source, workload, transport, port, address = (str(first(document, name) or "") for name in names)
        if (source, port) not in tried:
            key = (source, workload or address, transport, port)
            found.setdefault(key, set()).add(str(first(document, "event.action")))
    return found


def test_with_icmp_kept_pings_go_on(applied: Applied) -> None:
    """Last, for it changes what is enforced."""
    applied.run.lab.apply(applied.directory / "keeping.yaml")
    count = len(applied.run.truth())
    applied.run.lab.traffic(5)
    pings = [fact for fact in applied.run.truth()[count:] if fact["protocol"] == "icmp"]
    assert pings
    assert {fact["outcome"] for fact in pings} == {"answered"}


def test_the_evidence_stands_in_comments_and_the_rest_is_policies(applied: Applied) -> None:
    text = applied.answer.stdout
    found = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in yaml.safe_load_all(text)}
    assert {item["kind"] for item in found.values()} == {"NetworkPolicy"}
    assert set(found) == {
        ("data", "conntrail-metrics"),
        ("data", "conntrail-postgres"),
        ("guest", "conntrail-intruder"),
        ("shop", "conntrail-frontend"),
        ("shop", "conntrail-payment"),
    }
    assert "# shop/frontend (Deployment), shop/export (CronJob), shop/import (CronJob): " in text
    assert "Proven by replay of " in text
    assert "first seen 20" in text
