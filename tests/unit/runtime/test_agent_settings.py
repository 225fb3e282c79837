"""What may be set of DNS and applications at the node agent, and what is refused by name."""

import pytest

from runtime.settings import AgentSettings, SettingsError, load_settings
from runtime.unit import parse_ports

TREATED = ("paths", "hosts", "user_agents", "request_ids")


def agent(**values: str) -> AgentSettings:
    """As the environment gives them."""
    return load_settings({f"CONNTRAIL_AGENT__{name.upper()}": text for name, text in values.items()}, {}).agent


@pytest.mark.parametrize("name", ["dns_ports", "application_ports"])
@pytest.mark.parametrize(
    ("text", "ports"), [("53", (53,)), ("5353, 53", (53, 5353)), ("53,53,", (53,)), ("1,65535", (1, 65535))]
)
def test_ports_are_a_list_in_any_order_and_count_once(name: str, text: str, ports: tuple[int, ...]) -> None:
    assert parse_ports(name, getattr(agent(**{name: text}), name)) == ports


@pytest.mark.parametrize("name", ["dns_ports", "application_ports"])
@pytest.mark.parametrize("text", ["0", "65536", "-1", "dns", "53;54", "53 54", "1e3", "\u0665\u0663", "9" * 5000])
def test_what_is_no_port_is_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"^CONNTRAIL_AGENT__{name.upper()}: must be ports"):
        agent(**{name: text})


@pytest.mark.parametrize("text", ["", " ", ","])
def test_no_port_means_every_port_of_applications_and_none_that_dns_could_have(text: str) -> None:
    assert parse_ports("application_ports", agent(application_ports=text).application_ports) == ()
    with pytest.raises(SettingsError, match=r"^CONNTRAIL_AGENT__DNS_PORTS: must name a port; set CONNTRAIL_AGENT__DNS"):
        agent(dns_ports=text)


@pytest.mark.parametrize("name", TREATED)
@pytest.mark.parametrize("treatment", ["keep", "drop"])
def test_texts_are_kept_or_dropped_without_a_key(name: str, treatment: str) -> None:
    assert getattr(agent(**{name: treatment}), name) == treatment


@pytest.mark.parametrize("name", TREATED)
def test_texts_are_hashed_with_a_key_alone(name: str) -> None:
    assert getattr(agent(**{name: "hash", "hash_key": "k"}), name) == "hash"
    with pytest.raises(SettingsError, match=r"^CONNTRAIL_AGENT__HASH_KEY: must be given"):
        agent(**{name: "hash"})


@pytest.mark.parametrize("name", TREATED)
@pytest.mark.parametrize("treatment", ["", "Keep", "sha256", "true"])
def test_another_treatment_is_refused(name: str, treatment: str) -> None:
    with pytest.raises(SettingsError, match=f"^CONNTRAIL_AGENT__{name.upper()}: invalid enum"):
        agent(**{name: treatment})


@pytest.mark.parametrize("name", ["dns_per_second", "application_per_second"])
@pytest.mark.parametrize("text", ["0", "-5", "1000001", "many"])
def test_a_rate_that_the_kernel_would_not_take_is_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"^CONNTRAIL_AGENT__{name.upper()}: expected `int`"):
        agent(**{name: text})


def test_the_group_of_payloads_is_another_than_that_of_attempts() -> None:
    assert agent(payload_group="50", nflog_group="51").payload_group == 50
    with pytest.raises(SettingsError, match=r"^CONNTRAIL_AGENT__PAYLOAD_GROUP: must be another"):
        agent(payload_group="47")
    with pytest.raises(SettingsError, match=r"^CONNTRAIL_AGENT__PROMPT_GROUP: must be another"):
        agent(prompt_group="48")
    with pytest.raises(SettingsError, match=r"^CONNTRAIL_AGENT__PAYLOAD_GROUP: expected `int` <= 65535"):
        agent(payload_group="65536")
