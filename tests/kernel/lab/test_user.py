"""A lab without root: in namespaces of the user's own, which end with the process that holds them."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.lab import Fact
from tests.support.user import UID, User, a_user
from tests.support.waiting import until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root"),
    pytest.mark.timeout(400),
]
HOLDER = "conntrail.lab.rootless.main"
JOBS = {"import", "export"}
QUIET = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "quiet", "namespace": "shop"},
    "spec": {"podSelector": {}},
}


@pytest.fixture(scope="module")
def account() -> Iterator[User]:
    with a_user() as found:
        if found is None:
            pytest.skip("no interpreter is found that a user who is not root may run")
        yield found


@pytest.fixture
def user(account: User) -> Iterator[User]:
    try:
        yield account
    finally:
        for pid, words in account.processes().items():
            if HOLDER in words:
                os.kill(pid, signal.SIGKILL)
        until(lambda: not account.processes())


@pytest.fixture
def built(user: User) -> User:
    done = user.run("up")
    assert done.returncode == 0, done.stderr
    return user


def holder(user: User) -> int:
    return max(pid for pid, words in user.processes().items() if HOLDER in words)


def truth_of_traffic(user: User) -> list[Fact]:
    """Run it until both jobs have had their turn: one run of it has room for both unless the machine is crowded."""
    every: list[Fact] = []
    for _ in range(5):
        done = user.run("traffic", "--duration", "5")
        assert done.returncode == 0, done.stderr
        with open(done.stdout.strip()) as truth:  # noqa: PTH123 - the path is what was printed
            every = [json.loads(line) for line in truth]
        if JOBS.issubset(fact["client"]["workload"] for fact in every):
            break
    return every


def test_what_its_programs_see_is_what_the_manifests_promise(built: User) -> None:
    every = truth_of_traffic(built)
    facts = [fact for fact in every if fact["layer"] == "connection"]
    assert {fact["layer"] for fact in every} == {"connection", "dns", "http", "tls"}
    wanted = {"allowed": {"answered"}, "denied": {"timeout", "refused"}, "refused": {"refused"}}
    assert {fact["protocol"] for fact in facts} == {"tcp", "udp", "icmp"}
    assert {fact["expected"] for fact in facts} == set(wanted)
    assert not [fact for fact in facts if fact["outcome"] not in wanted[fact["expected"]]]
    assert JOBS.issubset(fact["client"]["workload"] for fact in facts)


def test_commands_find_the_lab_and_what_they_run_ends_as_it_would(built: User) -> None:
    pods = json.loads(built.run("status", "-o", "json").stdout)["pods"]
    assert len(pods) == 9
    shown = built.run("exec", "shop/frontend", "--", "ip", "-4", "-br", "addr", "show", "eth0")
    assert pods[0]["addresses"][0] in shown.stdout
    assert built.run("exec", "shop/frontend", "--", "sh", "-c", "exit 7").returncode == 7
    policy = built.home / "quiet.json"
    policy.write_text(json.dumps(QUIET))
    assert built.run("apply", str(policy)).returncode == 0
    asked = json.loads((built.home / ".local/state/conntrail/lab/audit.log").read_text())
    assert asked["user"]["username"] == f"uid:{UID}"
    assert built.run("up").stderr == "conntrail: a lab is there already: conntrail lab down ends it\n"


def test_agents_have_all_they_need_in_there(built: User) -> None:
    node = ["--node", "node1", "--netns", "/run/netns/node1"]
    agent = built.start("enter", "--", built.python, "-m", "conntrail", "agent", *node)
    assert agent.stdout is not None
    try:
        lines = (json.loads(line) for line in agent.stdout)
        report = next(line for line in lines if "accounting" in line)
    finally:
        agent.terminate()
        agent.wait(90)
    for ability in ("accounting", "timestamps", "conntrack_dump", "conntrack_events", "attempts", "sockets"):
        assert report[ability]["state"] == "ok", report


def test_what_enters_is_beside_the_nodes_in_its_own_directory_with_rights_or_without(built: User) -> None:
    script = "id -u; readlink /proc/self/ns/net; pwd"
    privileged = built.run("enter", "--", "sh", "-c", script).stdout.split()
    without = built.run("enter", "--unprivileged", "--", "sh", "-c", script).stdout.split()
    assert privileged[0] == "0"
    assert without[0] == str(UID)
    assert privileged[1:] == without[1:]
    assert privileged[2] == str(built.home)
    assert privileged[1] != os.readlink("/proc/self/ns/net")  # noqa: PTH115 - a link to no path
    assert built.run("enter", "--unprivileged", "--", "ip", "netns", "add", "x").returncode != 0


def test_taken_down_nothing_is_left_and_again_is_no_fault(built: User) -> None:
    assert built.run("down").returncode == 0
    until(lambda: not built.processes())
    assert not (built.home / ".local/state/conntrail/lab").exists()
    again = built.run("down")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr.startswith("no lab was there, in ")
    assert built.run("status").stderr == "conntrail: no lab is there: conntrail lab up builds one\n"


def test_what_entered_keeps_the_network_and_ends_with_the_command_that_started_it(built: User) -> None:
    entered = built.start("enter", "--", "sh", "-c", "echo in; exec sleep 50")
    assert entered.stdout is not None
    assert entered.stdout.readline() == "in\n"
    done = built.run("down")
    assert done.returncode == 0
    assert "kept for 1 still running there" in done.stderr
    entered.terminate()
    entered.wait(90)
    until(lambda: not any("sleep 50" in words for words in built.processes().values()))
    assert built.run("down").returncode == 0
    until(lambda: not built.processes())


def test_when_the_holder_is_killed_all_is_gone_and_a_new_lab_may_be_built(built: User) -> None:
    os.kill(holder(built), signal.SIGKILL)
    until(lambda: not built.processes())
    assert built.run("status").stderr == "conntrail: no lab is there: conntrail lab up builds one\n"
    assert built.run("up").returncode == 0
    assert built.run("exec", "shop/frontend", "--", "true").returncode == 0


def test_manifests_that_cannot_be_built_leave_no_holder(user: User) -> None:
    done = user.run("up", "--manifests", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "conntrail: nowhere: there is no such file or directory\n"
    until(lambda: not user.processes())


def test_two_that_build_at_once_share_one_holder_and_one_of_them_is_refused(user: User) -> None:
    both = [user.start("up"), user.start("up")]
    codes = sorted(process.wait(60) for process in both)
    assert codes == [0, 1]
    assert sum(HOLDER in words and "unshare" not in words for words in user.processes().values()) == 1
    assert user.run("exec", "shop/frontend", "--", "true").returncode == 0


def test_where_the_kernel_allows_no_user_namespaces_it_says_what_to_set(user: User) -> None:
    forbidding = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    before = ("unshare", "--user", "--map-user=1000", "--keep-caps", "sh", "-c", forbidding, "sh")
    done = user.run("up", "--state-dir", str(user.home / "lab"), before=before)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "conntrail: the kernel allows users no namespaces: as root, sysctl -w user.max_user_namespaces=10000; "
        "or run the lab as root\n"
    )
