from importlib.resources import files

import pytest

from conntrail.errors import CommandError
from conntrail.local.artifact.artifact import (
    coordinate_artifact,
    distribution,
    format_lock,
    java_archives,
    module_archives,
    parse_lock,
)
from conntrail.local.elasticsearch.module import MODULES

_SHA256 = "ab" * 32


def test_the_committed_lock_names_both_servers_and_survives_a_round_trip() -> None:
    text = files("conntrail.local").joinpath("artifacts.lock").read_text(encoding="utf-8")
    artifacts = parse_lock(text)
    assert format_lock(artifacts) == text
    assert distribution(artifacts).name == "elasticsearch"
    assert {"kafka_2.13", "log4j-core"} <= {artifact.name for artifact in java_archives(artifacts)}


def test_a_path_follows_the_repository_layout() -> None:
    jar = coordinate_artifact("org.apache.kafka:kafka_2.13:4.3.1", 1, _SHA256)
    archive = coordinate_artifact("org.example:thing:1.0:zip", 1, _SHA256)
    assert jar.path == "org/apache/kafka/kafka_2.13/4.3.1/kafka_2.13-4.3.1.jar"
    assert archive.path == "org/example/thing/1.0/thing-1.0.zip"


@pytest.mark.parametrize(
    "line",
    ["org.example:thing 1 " + _SHA256, "org.example:thing:1.0 1 abc", "org.example:../../etc:1.0 1 " + _SHA256],
)
def test_a_malformed_line_is_named(line: str) -> None:
    with pytest.raises(CommandError, match="line 2"):
        parse_lock(f"# a comment\n{line}\n")


def test_a_lock_without_elasticsearch_is_an_error() -> None:
    with pytest.raises(CommandError, match="conntrail local lock"):
        distribution(parse_lock(f"org.example:thing:1.0 1 {_SHA256}"))


def test_what_elasticsearch_adds_is_not_given_to_kafka_and_every_module_is_whole() -> None:
    artifacts = parse_lock(files("conntrail.local").joinpath("artifacts.lock").read_text(encoding="utf-8"))
    modules = module_archives(artifacts)
    assert not {artifact.coordinate for artifact in java_archives(artifacts)} & modules.keys()
    assert {name for module in MODULES for name in module.coordinates} == modules.keys()
    assert f":{distribution(artifacts).version}" in next(name for name in modules if "x-pack-esql:" in name)


def test_a_lock_without_the_modules_is_an_error() -> None:
    with pytest.raises(CommandError, match="conntrail local lock"):
        module_archives(parse_lock(f"org.example:thing:1.0 1 {_SHA256}"))
