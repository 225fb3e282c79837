import pytest

from streams.subscription.access import refusal

_TOKEN = "secret-é"


@pytest.mark.parametrize(
    ("shown", "is_refused"),
    [
        ("Bearer secret-é", False),
        ("bearer secret-é", False),
        ("Bearer secret", True),
        ("Basic secret-é", True),
        ("", True),
    ],
)
def test_a_token_must_be_shown(shown: str, is_refused: bool) -> None:
    reason = refusal(_TOKEN, {"Authorization": shown})
    assert bool(reason) is is_refused
    assert _TOKEN not in reason


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({"Host": "127.0.0.1:80"}, False),
        ({"Host": "[::1]:80", "Origin": "http://localhost:3000"}, False),
        ({"Host": "evil.example"}, True),
        ({"Host": "[bad"}, True),
        ({}, True),
        ({"Host": "localhost", "Origin": "http://evil.example"}, True),
        ({"Host": "localhost", "Origin": "null"}, True),
    ],
)
def test_without_a_token_only_programs_of_this_machine_are_answered(headers: dict[str, str], is_refused: bool) -> None:
    assert bool(refusal("", headers)) is is_refused
