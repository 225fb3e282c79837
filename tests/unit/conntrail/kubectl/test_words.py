import pytest

from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.help import HELP, is_help
from conntrail.kubectl.words import COMMANDS, Call, has_area, has_option, parse_call


def test_options_of_kubectl_may_stand_anywhere() -> None:
    wanted = Call(("observe", "--verdict", "denied"), "prod", "/k", "own", is_everywhere=True)
    assert (
        parse_call(
            ["--context", "prod", "observe", "-A", "--kubeconfig=/k", "--verdict", "denied", "--installation", "own"]
        )
        == wanted
    )
    assert wanted.kubectl == ("kubectl", "--context", "prod", "--kubeconfig", "/k")
    assert Call().kubectl == ("kubectl",)


def test_a_namespace_before_the_command_is_kubectls_and_behind_it_the_commands() -> None:
    assert parse_call(["-n", "shop", "observe"]) == Call(("observe",), namespace="shop")
    assert parse_call(["--namespace=shop", "observe"]).namespace == "shop"
    assert parse_call(["observe", "-n", "shop"]) == Call(("observe", "-n", "shop"))


def test_the_value_of_an_option_is_no_area() -> None:
    assert not has_area(("doctor", "-o", "json"))
    assert has_area(("doctor", "-o", "json", "cluster"))


def test_what_stands_behind_two_dashes_is_left_alone() -> None:
    assert parse_call(["observe", "--", "--context", "x"]).words == ("observe", "--", "--context", "x")


def test_an_option_without_its_value_is_told() -> None:
    with pytest.raises(KubectlError, match="--context needs a value"):
        parse_call(["observe", "--context"])


def test_options_are_put_before_what_negates_what_follows() -> None:
    call = Call(("observe", "--not", "--port", "53"))
    assert call.behind(1, "--namespace", "shop").words == ("observe", "--namespace", "shop", "--not", "--port", "53")


@pytest.mark.parametrize(
    ("words", "is_there"),
    [
        (("observe", "-n", "shop"), True),
        (("observe", "-nshop"), True),
        (("observe", "--namespace=shop"), True),
        (("observe", "--namespaces"), False),
        (("observe", "--not"), False),
        (("observe", "shop"), False),
    ],
)
def test_an_option_is_known_however_its_value_is_given(words: tuple[str, ...], is_there: bool) -> None:
    assert has_option(words, "-n", "--namespace") is is_there


def test_help_names_every_command_as_it_is_typed() -> None:
    assert is_help([])
    assert is_help(["--help"])
    assert not is_help(["observe", "--help"])
    assert HELP.startswith("Usage: kubectl conntrail")
    assert all(f"  {command} " in HELP for command in COMMANDS)
