import pytest

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings, Settings, SettingsError, load_settings
from runtime.unit import Bytes, Seconds


def test_nothing_given_gives_the_defaults() -> None:
    assert load_settings({}, {}) == Settings()


def test_the_environment_wins_over_the_file() -> None:
    settings = load_settings({"CONNTRAIL_KAFKA__PARTITIONS": "12"}, {"kafka": {"partitions": 3, "replication": 3}})
    assert settings.kafka.partitions == 12
    assert settings.kafka.replication == 3


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("10s", 10), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("7d", 604800)]
)
def test_durations_are_written_with_or_without_a_unit(text: str, seconds: float) -> None:
    settings = load_settings({"CONNTRAIL_CLUSTER_AGENT__TOMBSTONE_DELAY": text}, {})
    assert settings.cluster_agent.tombstone_delay == Seconds(seconds)


def test_sizes_are_written_with_or_without_a_unit() -> None:
    assert load_settings({"CONNTRAIL_AGENT__SPOOL_MEMORY": "64KiB"}, {}).agent.spool_memory == Bytes(65536)


def test_other_variables_are_nobody_s_business() -> None:
    assert load_settings({"PATH": "/bin", "CONNTRAIL_CONFIG": "/etc/conntrail.toml"}, {}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("CONNTRAIL_KAFKA__BOOTSTRAP", "x", "CONNTRAIL_KAFKA__BOOTSTRAP: unknown setting"),
        ("CONNTRAIL_KAFFKA__PARTITIONS", "x", "CONNTRAIL_KAFFKA: unknown setting"),
        ("CONNTRAIL_KAFKA__PARTITIONS", "many", "CONNTRAIL_KAFKA__PARTITIONS: expected `int`"),
        ("CONNTRAIL_KAFKA__SECURITY_PROTOCOL", "TLS", "CONNTRAIL_KAFKA__SECURITY_PROTOCOL: invalid enum"),
        ("CONNTRAIL_WINDOW__SIZE", "soon", "CONNTRAIL_WINDOW__SIZE: expected a duration"),
        ("CONNTRAIL_AGENT__INTERVAL", "0", "CONNTRAIL_AGENT__INTERVAL: must be from 0.1 s to 3600 s, got 0 s"),
        ("CONNTRAIL_AGENT__INTERVAL", "7d", "CONNTRAIL_AGENT__INTERVAL: must be"),
        ("CONNTRAIL_WINDOW__STEP", "7s", "CONNTRAIL_WINDOW__STEP: of 7 s must divide the window's size of 60 s"),
        ("CONNTRAIL_WINDOW__STEP", "61s", "CONNTRAIL_WINDOW__STEP: must be from 0.1 s to 60 s"),
        ("CONNTRAIL_KAFKA__PARTITIONS", "0", "CONNTRAIL_KAFKA__PARTITIONS: expected `int` >= 1"),
        (
            "CONNTRAIL_ELASTICSEARCH__NAMESPACE",
            "My-Space",
            "CONNTRAIL_ELASTICSEARCH__NAMESPACE: expected `str` matching",
        ),
        ("CONNTRAIL_CLUSTER__NAME", "x", "CONNTRAIL_CLUSTER: expected `str`"),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({variable: value}, {})
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)


def test_credentials_reach_the_client_only_where_the_protocol_has_them() -> None:
    plain = client_configuration(KafkaSettings(sasl_password="secret"), "test")
    assert not any("sasl" in key for key in plain)
    secured = client_configuration(
        KafkaSettings(security_protocol="SASL_SSL", sasl_username="u", sasl_password="p", ssl_ca_location="/ca"), "test"
    )
    assert secured["sasl.password"] == "p"
    assert secured["ssl.ca.location"] == "/ca"


@pytest.mark.parametrize(
    ("group", "complaint"),
    [
        ({"address": "0.0.0.0:8443"}, "CONNTRAIL_AUDIT__ADDRESS"),
        ({"address": ":8443", "token": "x"}, "CONNTRAIL_AUDIT__ADDRESS"),
        ({"address": "192.0.2.1:8443", "certificate": "c", "key": "k"}, "CONNTRAIL_AUDIT__ADDRESS"),
        ({"certificate": "c"}, "CONNTRAIL_AUDIT__KEY"),
        ({"key": "k"}, "CONNTRAIL_AUDIT__KEY"),
    ],
)
def test_an_audit_backend_that_anybody_could_reach_is_refused(group: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load_settings({}, {"audit": group})


@pytest.mark.parametrize(
    "group",
    [
        {"address": "127.0.0.1:8443"},
        {"address": "[::1]:0"},
        {"address": "0.0.0.0:8443", "certificate": "c", "key": "k", "token": "t"},
        {"file": "/var/log/kubernetes/audit.log"},
    ],
)
def test_an_audit_backend_on_loopback_or_with_certificate_and_token_is_taken(group: dict[str, str]) -> None:
    assert load_settings({}, {"audit": group}).audit.address == group.get("address", "")


@pytest.mark.parametrize("text", ["12h", "36h", "0d", "9999d"])
def test_a_period_that_no_lifecycle_keeps_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="CONNTRAIL_INDEX__KEEP_FLOW"):
        load_settings({"CONNTRAIL_INDEX__KEEP_FLOW": text}, {})


def test_a_period_is_told_in_days() -> None:
    assert load_settings({"CONNTRAIL_INDEX__KEEP_WINDOW": "14d"}, {}).index.days("window") == 14
