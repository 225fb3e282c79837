from pathlib import Path

import msgspec
import pytest

from conntrail.errors import CommandError
from conntrail.local.elasticsearch.configuration import settings
from conntrail.local.java.version import candidates, major_version
from conntrail.local.kafka.configuration import properties
from conntrail.local.process.program import ProcessIdentity, parse_stat
from conntrail.local.state.layout import Layout, cache_directory, default_data_directory
from conntrail.local.state.state import ServiceState, StackState, parse_state

_STATE = StackState(ServiceState(9092, 9093, ProcessIdentity(7, "boot", 99)), ServiceState(9200, 9300), "digest")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_292"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("bash: java: command not found", None),
    ],
)
def test_the_major_version_of_java(text: str, version: int | None) -> None:
    assert major_version(text) == version


def test_java_home_comes_first_and_nothing_is_tried_twice() -> None:
    found = list(candidates("/opt/jdk", "/usr/bin/java", ["/usr/lib/jvm/a/bin/java", "/usr/bin/java"]))
    assert found == ["/opt/jdk/bin/java", "/usr/bin/java", "/usr/lib/jvm/a/bin/java"]


def test_a_process_name_with_spaces_and_parentheses_does_not_shift_the_fields() -> None:
    rest = "S " + " ".join(str(number) for number in range(4, 53))
    assert parse_stat(f"42 (a) R 1 (b)) {rest}") == ("S", 22)


def test_the_state_survives_a_round_trip_and_names_the_settings() -> None:
    state = parse_state(msgspec.json.encode(_STATE), "stack.json")
    assert state == _STATE
    assert state.environment() == {
        "CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "CONNTRAIL_ELASTICSEARCH__HOSTS": "http://127.0.0.1:9200",
    }


@pytest.mark.parametrize("text", [b"", b"{}", b'{"kafka": 1}', b"\xff"])
def test_a_damaged_state_file_is_named(text: bytes) -> None:
    with pytest.raises(CommandError, match=r"/data/stack\.json is damaged"):
        parse_state(text, "/data/stack.json")


def test_roots_data_is_where_another_user_may_enter() -> None:
    assert default_data_directory(is_root=True, data_home="", home="/root") == Path("/var/lib/conntrail/local")
    assert default_data_directory(is_root=False, data_home="", home="/home/a").is_relative_to("/home/a/.local/share")
    assert default_data_directory(is_root=False, data_home="/x", home="/home/a").is_relative_to("/x")
    assert cache_directory("", "/home/a").is_relative_to("/home/a/.cache/conntrail")


def test_everything_of_a_stack_lies_below_its_directory() -> None:
    layout = Layout(Path("/data"))
    assert all(path.is_relative_to("/data") and path != Path("/data") for path in layout.all)
    assert layout.home.is_relative_to(layout.service("elasticsearch"))


def test_both_servers_listen_on_loopback_only() -> None:
    kafka = properties(Layout(Path("/data")), _STATE.kafka, {})
    elasticsearch = msgspec.json.decode(settings(Layout(Path("/data")), _STATE.elasticsearch, {"a.b": 1}))
    assert "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n" in kafka
    assert (elasticsearch["http.host"], elasticsearch["transport.host"]) == ("127.0.0.1", "127.0.0.1")
    assert elasticsearch["a.b"] == 1


def test_further_listeners_stand_beside_ours_and_other_settings_replace_ours() -> None:
    extra = {"listeners": "MORE://127.0.0.1:1", "num.io.threads": "9"}
    kafka = properties(Layout(Path("/data")), _STATE.kafka, extra).splitlines()
    assert "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093,MORE://127.0.0.1:1" in kafka
    assert [line for line in kafka if line.startswith("num.io.threads")] == ["num.io.threads=9"]


def test_a_path_of_any_letters_is_one_that_java_reads_again() -> None:
    kafka = properties(Layout(Path("/data é\U0001f600\\n")), _STATE.kafka, {}).splitlines()
    assert r"log.dirs=/data \u00e9\ud83d\ude00\u005cn/kafka/data" in kafka
    assert all(line.isascii() for line in kafka)
