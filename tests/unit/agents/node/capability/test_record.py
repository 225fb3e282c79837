from agents.node.capability.record import NAMES, Capability, describe_all


def test_what_is_missing_says_what_is_lost_and_what_to_do() -> None:
    for name in NAMES:
        described = describe_all([Capability(name, "missing", "no right")])[name]
        assert described["reason"] == "no right"
        assert described["lost"]
        assert described["remedy"]


def test_what_is_there_needs_no_words() -> None:
    assert describe_all([Capability("sockets", "ok")]) == {"sockets": {"state": "ok"}}
