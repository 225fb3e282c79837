"""One secured stack, on which each process runs with the rights of its role and no others."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conntrail.lab.main import Lab
from conntrail.system.child import Plan
from conntrail.system.writer import System
from schemas.role import CLUSTER_AGENT, NODE_AGENT, WORKER
from tests.support.observed import SPANS, Observed
from tests.support.pipeline import run_command
from tests.support.secured import Secured, secured_stack

_TRAFFIC_SECONDS = 12


@pytest.fixture(scope="package")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """With all roles, made by the command."""
    with secured_stack(tmp_path_factory.mktemp("secured")) as found:
        words = ("setup", "--access", "--users", "--secrets", str(found.secrets), "-o", "json")
        done = run_command(found.admin_environment(), *words)
        assert done.returncode == 0, done.stderr
        yield found


@pytest.fixture(scope="package")
def run(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """The whole system on the lab, after its traffic, with all results indexed."""
    directory = tmp_path_factory.mktemp("system")
    with ExitStack() as exits:
        lab = Lab(directory / "lab", is_tied=True)
        exits.callback(lab.down)
        lab.up(None)
        plan = Plan(
            directory=directory,
            cluster_directory=lab.cluster_directory,
            nodes=lab.nodes,
            audit_log=lab.audit_path,
            settings={**SPANS, **secured.common()},
            own_settings={
                "agents.node": secured.own(NODE_AGENT),
                "agents.cluster": secured.own(CLUSTER_AGENT),
                "streams": secured.own(WORKER),
            },
        )
        system = System(plan)
        exits.callback(system.stop)
        system.start(lambda _: None)
        everything = Observed(lab, system, plan, secured.plain_settings())
        everything.run_traffic(_TRAFFIC_SECONDS)
        yield everything
