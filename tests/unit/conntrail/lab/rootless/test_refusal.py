"""What a user is told whom the kernel allows no namespaces."""

import pytest

from conntrail.lab.rootless.refusal import SETTINGS, refusal


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_forbids_is_named_with_the_value_that_does_not(name: str) -> None:
    forbids, allows = SETTINGS[name]
    told = refusal({name: forbids}, "unshare failed: Operation not permitted")
    assert f"sysctl -w {name}={allows};" in told


def test_all_that_forbid_are_named_at_once_and_others_are_not() -> None:
    told = refusal(
        {"kernel.unprivileged_userns_clone": "0", "user.max_user_namespaces": "96365", "user.max_net_namespaces": "0"},
        "",
    )
    assert "sysctl -w kernel.unprivileged_userns_clone=1 user.max_net_namespaces=10000;" in told
    assert "max_user" not in told


def test_another_reason_is_told_as_it_was_said_in_one_line() -> None:
    assert refusal({"user.max_user_namespaces": "5"}, "unshare failed:\n EPERM\n") == (
        "this user gets no namespaces of its own (unshare failed: EPERM): run the lab as root"
    )
    assert "no reason given" in refusal({}, "")
