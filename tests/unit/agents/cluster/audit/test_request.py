"""What is asked of a request before its body is read."""

from email.message import Message

import pytest

from agents.cluster.audit.request import Refusal, body_size

_GOOD = {"Authorization": "Bearer secret", "Content-Length": "10"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (_GOOD, 10),
        ({"authorization": "Bearer secret", "content-length": "10"}, 10),
        ({**_GOOD, "Authorization": "bearer  secret"}, 10),
        ({**_GOOD, "Content-Length": "0"}, 0),
        ({**_GOOD, "Authorization": "Bearer other"}, 401),
        ({**_GOOD, "Authorization": "Basic secret"}, 401),
        ({**_GOOD, "Authorization": "Bearer s\xe9cret"}, 401),
        ({"Content-Length": "10"}, 401),
        ({"Authorization": "Bearer secret"}, 411),
        ({**_GOOD, "Transfer-Encoding": "chunked"}, 411),
        ({**_GOOD, "transfer-encoding": "chunked"}, 411),
        ({**_GOOD, "Content-Length": "-1"}, 411),
        ({**_GOOD, "Content-Length": "\u0661"}, 411),
        ({**_GOOD, "Content-Length": "9" * 5000}, 411),
        ({**_GOOD, "Content-Length": "101"}, 413),
    ],
)
def test_a_request_is_refused_before_its_body_is_read(headers: dict[str, str], expected: int) -> None:
    found = body_size(_message(headers), "secret", 100)
    assert (found.status if isinstance(found, Refusal) else found) == expected


def test_without_a_token_none_is_asked_for() -> None:
    assert body_size(_message({"Content-Length": "5"}), "", 100) == 5


def _message(headers: dict[str, str]) -> Message:
    """As http.server gives it."""
    made = Message()
    for name, value in headers.items():
        made[name] = value
    return made
