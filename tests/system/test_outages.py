"""Outages of several kinds, a scan and a first contact, in one run: what is told of each, and that nothing else is."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.lab import command
from tests.support.observed import Observed, is_root, observed
from tests.support.stack import RunningStack
from tests.support.watch import Alert, alerts_of, await_alerts, await_windows, told, write_rules
from tests.system.test_policies import without_jobs

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
_PACES = {
    "dns-failures": {"window": "20s", "clear": "10s"},
    "port-scan": {"window": "10s", "clear": "10s"},
    "first-contact-outside": {
        "window": "10s",
        "clear": "10s",
        "source_known_seconds >= 600": "source_known_seconds >= 20",
    },
}
"""Shorter than shipped: quiet that ends an alert, and how long a client is no newcomer any more."""
_MOST_SECONDS = 300
_ASKS = {"kind": "dns", "to": "kube-dns.kube-system", "port": 53, "every": 0.5, "names": ["payment.shop"]}
_DNS_CLIENTS = {"shop/frontend", "shop/payment", "data/postgres"}
_PORTS = 2
"""Of payment that are called: HTTP and TLS; too few to be a group."""
_OF_TIME = {"retransmits", "rtt-rise", "http-latency", "slow-resolver"}
"""How long things take, and what is sent again for it, is the machine's."""
_SCANNED = range(8001, 8031)


@dataclass(frozen=True)
class Run:
    """What was told while DNS was away, and at the end."""

    without_dns: list[Alert]
    alerts: list[Alert]


@pytest.fixture(scope="module")
def run(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("outages")
    write_rules(directory / "rules.yaml", _PACES)
    settings = {"ALERTS__RULES": str(directory / "rules.yaml"), "ALERTS__LEARNING": "0s"}
    with observed(stack, directory, _manifests(directory), settings) as seen:
        traffic = command(directory / "lab", "traffic", "--duration", str(_MOST_SECONDS))
        try:
            _break_payment_and_postgres(seen)
            _mend_them_and_meet_somebody(seen)
            worst = _break_dns(seen)
            _mend_dns(seen)
        finally:
            traffic.send_signal(signal.SIGINT)
            traffic.communicate(timeout=60)
        yield Run(worst, alerts_of(seen))


@pytest.fixture(scope="module")
def alerts(run: Run) -> list[Alert]:
    return run.alerts


def _manifests(directory: Path) -> Path:
    """With a third workload that asks DNS, so that an outage of it concerns as many as make a group."""
    path = without_jobs(directory)
    values = list(yaml.safe_load_all(path.read_text()))
    postgres = next(v for v in values if (v["kind"], v["metadata"]["name"]) == ("Deployment", "postgres"))
    postgres["spec"]["template"]["metadata"]["annotations"]["conntrail.io/lab-call"] = json.dumps([_ASKS])
    path.write_text(yaml.safe_dump_all(values))
    return path


def _break_payment_and_postgres(seen: Observed) -> None:
    """One loses its programs, the other its endpoints, and while they are away somebody scans."""
    await_windows(seen, {("shop/frontend", "shop/payment"), ("shop/frontend", "data/postgres")}, 2)
    seen.lab.stop("shop/payment")
    seen.lab.set_ready("data/postgres", is_ready=False)
    seen.lab.call("guest/intruder", {"kind": "tcp", "to": "pod/shop/frontend", "expect": "refused"}, _SCANNED)
    await_alerts(seen, "a scan", lambda all_: bool(told(all_, "port-scan", "guest/intruder")))
    await_alerts(seen, "one break", lambda all_: bool(told(all_, "communication-break", "data/postgres")))
    await_alerts(seen, "both ports", lambda all_: len(told(all_, "communication-break", "shop/payment")) == _PORTS)


def _mend_them_and_meet_somebody(seen: Observed) -> None:
    seen.lab.start("shop/payment")
    seen.lab.set_ready("data/postgres", is_ready=True)
    seen.lab.call("shop/frontend", {"kind": "tcp", "to": "192.0.2.10"}, [443])
    await_alerts(seen, "a first contact", lambda all_: bool(told(all_, "first-contact-outside", "shop/frontend")))
    await_alerts(seen, "breaks are over", lambda all_: not _open(all_, "communication-break"))


def _break_dns(seen: Observed) -> list[Alert]:
    seen.lab.stop("kube-system/dns")
    return await_alerts(seen, "a group of look-ups", lambda all_: bool(_groups(all_)))


def _mend_dns(seen: Observed) -> None:
    seen.lab.start("kube-system/dns")
    rules = ("dns-failures", "port-scan", "first-contact-outside")
    await_alerts(seen, "all is over", lambda all_: not _open(all_, *rules))


def _groups(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if set(alert["members"]) == _DNS_CLIENTS]


def _open(alerts: list[Alert], *rules: str) -> list[Alert]:
    return [alert for alert in alerts if alert["rule"] in rules and alert["status"] != "resolved"]


def test_a_backend_whose_programs_end_is_told_with_its_restarted_pods_as_the_cause(alerts: list[Alert]) -> None:
    breaks = told(alerts, "communication-break", "shop/payment")
    assert {(alert["subject"]["source.workload"], alert["subject"]["port"]) for alert in breaks} == {
        ("shop/frontend", "8443"),
        ("shop/frontend", "9443"),
    }
    for alert in breaks:
        assert (alert["severity"], alert["status"]) == ("high", "resolved")
        assert alert["message"].endswith(": refused")
        assert alert["causes"][0]["object"].startswith("Pod/shop/payment-")
        assert "restarted" in alert["causes"][0]["summary"]
        assert max(alert["causes"][0]["at_ns"], alert["worked_until_ns"]) < alert["resolved_at_ns"]


def test_a_service_without_endpoints_is_told_with_them_as_the_cause(alerts: list[Alert]) -> None:
    (alert,) = told(alerts, "communication-break", "data/postgres")
    assert alert["subject"]["source.workload"] == "shop/frontend"
    assert (alert["severity"], alert["status"]) == ("high", "resolved")
    assert alert["message"].endswith(": no_endpoints")
    assert alert["causes"][0]["object"].startswith("EndpointSlice/data/postgres-")
    assert "1 of 1 ready → 0 of 1 ready" in alert["causes"][0]["summary"]


def test_dns_that_is_gone_is_one_alert_of_all_who_ask_with_its_pod_as_the_cause(run: Run) -> None:
    (group,) = _groups(run.without_dns)
    assert (group["rule"], group["severity"]) == ("dns-failures", "high")
    assert group["causes"][0]["object"].startswith("Pod/kube-system/dns-")
    ends = {alert["id"]: alert for alert in run.alerts if alert["rule"] == "dns-failures"}
    assert ends.pop(group["id"])["status"] == "resolved"
    assert {alert["reason"] for alert in ends.values()} <= {f"now part of alert {group['id']}"}


def test_a_scan_is_told_without_a_cause_that_it_does_not_have(alerts: list[Alert]) -> None:
    (alert,) = [alert for alert in alerts if alert["rule"] == "port-scan"]
    assert alert["subject"] == {"source.workload": "guest/intruder"}
    assert "shop/frontend" in alert["message"]
    assert (alert["severity"], alert["status"], alert["causes"]) == ("high", "resolved", [])


def test_a_first_contact_outside_is_told_once(alerts: list[Alert]) -> None:
    (alert,) = [alert for alert in alerts if alert["rule"] == "first-contact-outside"]
    assert alert["subject"]["source.workload"] == "shop/frontend"
    assert (alert["subject"]["destination.address"], alert["subject"]["port"]) == ("192.0.2.10", "443")
    assert (alert["severity"], alert["status"], alert["causes"]) == ("medium", "resolved", [])


def test_beside_them_only_what_the_lab_does_all_the_time_is_told(alerts: list[Alert]) -> None:
    """That some are denied what they go on trying, and that payment calls outside in clear text."""
    assert {alert["rule"] for alert in alerts if alert["severity"] in ("high", "critical")} == {
        "communication-break",
        "dns-failures",
        "port-scan",
    }
    rest = [alert for alert in alerts if alert["severity"] in ("low", "medium") and alert["rule"] not in _OF_TIME]
    assert {(alert["rule"], alert["subject"]["source.workload"]) for alert in rest} == {
        ("first-contact-outside", "shop/frontend"),
        ("policy-denied", "guest/intruder"),
        ("policy-denied", "shop/frontend"),
        ("policy-denied", "shop/payment"),
        ("insecure-egress", "shop/payment"),
    }
