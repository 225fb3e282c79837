"""What the lab shows and enforces of pods to which something has happened, and what a pod is told to call once."""

from pathlib import Path

import pytest

from conntrail.errors import CommandError
from conntrail.lab.cluster import PodStatus
from conntrail.lab.network.firewall import ruleset
from conntrail.lab.order import calls_once
from conntrail.lab.place import build_cluster
from conntrail.lab.port import ports_of
from conntrail.lab.show import shown
from conntrail.lab.state import State, format_state, parse_state
from tests.unit.conntrail.lab.test_cluster import AT, cluster, of_kind, shipped

_POSTGRES = next(pod for pod in cluster().pods if pod.workload[1] == "postgres")


def test_no_service_leads_to_a_pod_that_is_not_ready_and_what_dials_it_is_refused() -> None:
    with_status = build_cluster(shipped(), AT, (), {_POSTGRES.title: PodStatus(is_ready=False)})
    before, after = (ruleset(one, one.nodes[0]) for one in (cluster(), with_status))
    led, refused = f"to {_POSTGRES.addresses[0]}:5432", "10.96.0.12 tcp dport 5432 counter reject"
    assert (led in before, refused in before) == (True, False)
    assert (led in after, refused in after) == (False, True)


def test_its_endpoints_stay_in_the_slice_as_not_ready() -> None:
    with_status = build_cluster(shipped(), AT, (), {_POSTGRES.title: PodStatus(is_ready=False)})
    conditions = {
        endpoint["conditions"]["ready"]
        for endpoint_slice in of_kind("EndpointSlice", shown(with_status))
        for endpoint in endpoint_slice["endpoints"]
        if endpoint["targetRef"]["name"] == _POSTGRES.name
    }
    assert conditions == {False}


def test_a_pod_tells_how_often_its_containers_were_restarted() -> None:
    with_status = build_cluster(shipped(), AT, (), {_POSTGRES.title: PodStatus(restarts=2)})
    told = {
        pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"]
        for pod in of_kind("Pod", shown(with_status))
    }
    assert told == {name: 2 if name == _POSTGRES.name else 0 for name in told}


def test_what_happened_to_pods_outlives_the_process_that_did_it() -> None:
    state = State(AT, "/lab", namespaces={}, statuses={_POSTGRES.title: PodStatus(3, is_ready=False)})
    assert parse_state(format_state(state)) == state


def test_a_pod_calls_each_port_once() -> None:
    built = cluster()
    caller = next(pod for pod in built.pods if pod.workload[1] == "intruder")
    call = {"kind": "tcp", "to": "pod/shop/frontend", "expect": "refused"}
    order = calls_once(built, caller, Path("truth.jsonl"), call, range(8000, 8003))
    assert order.is_once
    assert [(task.port, task.expect) for task in order.tasks] == [(port, "refused") for port in range(8000, 8003)]


@pytest.mark.parametrize("call", [{"kind": "tcp", "to": "pod/frontend"}, {"kind": "sctp", "to": "frontend.shop"}])
def test_a_call_that_cannot_be_made_is_refused(call: dict[str, str]) -> None:
    with pytest.raises(CommandError):
        calls_once(cluster(), _POSTGRES, Path("truth.jsonl"), call, [80])


def test_ports_are_given_alone_and_as_ranges() -> None:
    assert ports_of("443, 80-82,81") == [80, 81, 82, 443]


@pytest.mark.parametrize("text", ["", "0", "80-", "-80", "82-80", "65536", "http", "1-2000", "8" * 5000])
def test_what_are_no_ports_are_refused(text: str) -> None:
    with pytest.raises(CommandError):
        ports_of(text)
