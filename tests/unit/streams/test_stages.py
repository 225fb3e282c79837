from importlib import import_module

from conntrail.process.command import Stage
from streams.main import STAGES


def test_the_terminal_offers_the_stages_that_there_are_and_each_can_be_built() -> None:
    assert tuple(Stage) == STAGES
    for stage in STAGES:
        assert callable(import_module(f"streams.stage.{stage}.main").build)
