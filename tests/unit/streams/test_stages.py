import subprocess
import sys
from importlib import import_module

import pytest

from conntrail.process.command import Stage
from streams.main import STAGES


def test_the_terminal_offers_the_stages_that_there_are_and_each_can_be_built() -> None:
    assert tuple(Stage) == STAGES
    for stage in STAGES:
        assert callable(import_module(f"streams.stage.{stage}.main").build)


@pytest.mark.parametrize("stage", ["alerts", "deliveries", "subscriptions"])
def test_a_stage_that_asks_for_no_names_carries_nothing_of_frames_and_faust(stage: str) -> None:
    program = (
        f"import sys, streams.main, streams.stage.{stage}.main\n"
        "print([name for name in ('polars', 'faust.app', 'elasticsearch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
