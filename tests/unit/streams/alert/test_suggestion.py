"""What an alert suggests to run next is what the command line takes, as it stands."""

import re
import shlex
from itertools import product
from typing import Any

import pytest

from conntrail.command import _loaded
from streams.alert.cause.suggestion import suggestions
from streams.alert.fact.subject import Context
from streams.alert.rule.builtin import builtin_rules
from streams.alert.rule.rule import Rule
from streams.alert.signal.end import NODE, NOWHERE, OUTSIDE, SERVICE, End
from tests.unit.streams.alert.builders import DATABASE, FRONTEND

TOOL, NODE1 = End("shop", "Pod", "tool"), End("", NODE, "node1")
SERVICE_OF_DATABASE, FAR = End("data", SERVICE, "db"), End("", OUTSIDE, "2001:db8::9")


def parse(command: str) -> None:
    """Raises click's UsageError for what the command line does not take; runs nothing."""
    program, name, *words = shlex.split(command)
    assert program == "conntrail"
    parsed: Any = _loaded(name)
    while hasattr(parsed, "commands"):
        parsed = parsed.commands[words.pop(0)]
    parsed.make_context(name, words)


@pytest.mark.parametrize(
    ("source", "destination"),
    list(
        product([FRONTEND, TOOL, NODE1, NOWHERE, FAR, None], [DATABASE, SERVICE_OF_DATABASE, NODE1, NOWHERE, FAR, None])
    ),
)
@pytest.mark.parametrize("transport", ["tcp", "udp", "icmp"])
def test_each_command_is_one_that_the_command_line_takes(
    source: End | None, destination: End | None, transport: str
) -> None:
    context = Context(source=source, destination=destination, port=5432, transport=transport, domain="pay.example")
    for command in suggestions(context):
        parse(command)


@pytest.mark.parametrize(
    ("source", "destination", "facts", "command"),
    [
        (FRONTEND, DATABASE, {}, "conntrail policy explain workload/shop/frontend workload/data/db:5432"),
        (TOOL, FAR, {"domain": "pay.example"},
         "conntrail policy explain pod/shop/tool '[2001:db8::9]:5432' --domain pay.example"),
        (NODE1, SERVICE_OF_DATABASE, {"transport": "udp"},
         "conntrail policy explain node/node1 service/data/db:5432 --protocol UDP"),
    ],
)  # fmt: skip
def test_the_most_telling_comes_first(source: End, destination: End, facts: dict[str, str], command: str) -> None:
    facts = {"transport": "tcp", **facts}
    assert suggestions(Context(source=source, destination=destination, port=5432, **facts))[0] == command


def test_nobody_is_asked_to_explain_all_that_is_outside() -> None:
    found = suggestions(Context(source=NOWHERE, destination=DATABASE, port=5432, transport="tcp"))
    assert found == ["conntrail observe --to-workload data/db --since 15m -o wide"]


@pytest.mark.parametrize("rule", builtin_rules(), ids=lambda rule: rule.id)
def test_a_runbook_names_only_commands_that_there_are(rule: Rule) -> None:
    for command in re.findall(r"`conntrail ([^`]*)`", rule.runbook):
        name, *words = command.split()
        found: Any = _loaded(name)
        while hasattr(found, "commands"):
            found = found.commands[words.pop(0)]
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options
