"""Each stage reads and writes what its role says, and no more."""

from importlib import import_module

import pytest

from runtime.settings import Settings
from schemas.role import READER, STAGE_ROLES, Role
from streams.alert import writer as alert_writer
from streams.alert.desk import TOPICS as SIGNALS
from streams.index.documents import TOPICS as INDEXED
from streams.main import STAGES
from streams.stage.main import Process

PREFIX = Settings().kafka.topic_prefix
ROLES = dict(zip((role.name.removeprefix("worker-") for role in STAGE_ROLES), STAGE_ROLES, strict=True))


def test_every_stage_has_a_role() -> None:
    assert set(ROLES) == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_and_writes_what_its_role_says(stage: str) -> None:
    role: Role = ROLES[stage]
    process = Process(Settings())
    import_module(f"streams.stage.{stage}.main").build(process)
    written = {topic.name for writer in process._writers for topic in writer._topics}
    if stage == "alerts":
        written = {topic.name for topic in alert_writer._TOPICS}
    assert process.topics == {topic.full_name(PREFIX) for topic in role.reads}
    assert written == {topic.name for topic in role.writes}


def test_who_reads_may_read_what_commands_ask_for() -> None:
    names = {topic.name for topic in READER.reads}
    assert {topic.name for topic in (*INDEXED, *SIGNALS)} <= names
