"""With exactly the rights of their roles the processes find what they find where everything is allowed.

What holds of a run holds of this one, so the tests are the same.
"""

import json

import pytest

from schemas.role import READER, WORKER, Role
from tests.support.observed import Observed, is_root
from tests.support.pipeline import run_command
from tests.support.secured import Secured
from tests.system.truth.test_connections import (  # noqa: F401 - collected here too
    pairs,
    test_every_connection_is_found_once,
    test_every_denial_names_its_policy_and_nothing_allowed_has_one,
    test_the_client_is_named,
    test_the_verdict_is_what_the_programs_saw,
    test_there_was_traffic_of_every_kind,
    test_windows_add_up_to_flows,
)
from tests.system.truth.test_denials import (  # noqa: F401 - the same
    addresses,
    test_every_connection_that_was_denied_or_refused_is_told_with_its_policy,
    told,
)

pytestmark = [
    pytest.mark.stack,
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]


@pytest.mark.parametrize(("role", "source"), [(READER, "elasticsearch"), (READER, "kafka"), (WORKER, "kafka")])
@pytest.mark.usefixtures("run")
def test_a_reader_observes_both_stores_and_who_is_in_a_workers_pod_what_it_reads(
    secured: Secured, role: Role, source: str
) -> None:
    words = ("observe", "--source", source, "--since", "10m", "--verdict", "denied", "-o", "json")
    seen = run_command(secured.environment(role), *words)
    assert seen.returncode == 0, seen.stderr
    found = {
        (flow["source"]["kubernetes"]["workload"]["name"], flow["event"]["action"]) for flow in json.loads(seen.stdout)
    }
    assert ("intruder", "denied") in found


@pytest.mark.parametrize(
    "words", [("alerts", "list", "-o", "json"), ("policy", "hits", "-o", "json"), ("policy", "list")]
)
@pytest.mark.usefixtures("run")
def test_a_reader_asks_what_people_ask(secured: Secured, words: tuple[str, ...]) -> None:
    done = run_command(secured.environment(READER), *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() not in ("", "[]")


def test_nothing_was_refused_to_any_process(run: Observed) -> None:
    logs = "".join(path.read_text() for path in run.plan.directory.glob("*.log"))
    assert logs
    refused = [line for line in logs.splitlines() if "AUTHORIZATION" in line.upper() or "security_exception" in line]
    assert not refused, refused[:3]
