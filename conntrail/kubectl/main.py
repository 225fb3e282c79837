"""Runs a command of ``conntrail`` on a kubeconfig's cluster: finds the installation, opens what is needed, goes."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import typer

from conntrail.command import app
from conntrail.kubectl.alert.command import app as alerts
from conntrail.kubectl.alert.reader import VARIABLE
from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.installation import (
    Target,
    account_of,
    agent_settings,
    choose_api,
    choose_installation,
    wanted_resources,
)
from conntrail.kubectl.reader import Kubectl
from conntrail.kubectl.words import COMMANDS, Call, has_area, has_option
from conntrail.kubectl.writer import forwarded

PROGRAM: Final = "kubectl conntrail"
_NAMESPACE: Final = ("-n", "--namespace")
_HELP: Final = ("-h", "--help")
_FOLLOW: Final = ("-f", "--follow")
_HOSTS: Final = "CONNTRAIL_ELASTICSEARCH__HOSTS"
_AREAS: Final = ("cluster", "elasticsearch")
_ACCOUNT: Final = "--service-account"


def run(call: Call) -> None:
    """Ends the process, as commands do. Raises KubectlError or another CommandError."""
    command = call.words[0] if call.words else ""
    if command not in COMMANDS:
        raise KubectlError(f"unknown command {command!r}: it is one of {', '.join(COMMANDS)}")
    if any(has_option(call.words, name) for name in _HELP):
        _call(call)
    with ExitStack() as opened:
        own = Kubectl(call)
        match command:
            case "alerts":
                opened.enter_context(_api(call, own))
            case "doctor":
                call = opened.enter_context(_for_doctor(call, own))
            case _:
                call = opened.enter_context(_for_history(call, own))
        _call(call if command == "doctor" else _in_namespace(call, own))


def command_of(words: tuple[str, ...]) -> tuple[Any, int]:
    """The command that words lead to, and how many of them name it."""
    command: Any = typer.main.get_command(app)
    count = 0
    while hasattr(command, "list_commands") and count < len(words) and not words[count].startswith("-"):
        if words[count] == "alerts" and count == 0:
            command = typer.main.get_command(alerts)
        else:
            _, command, _ = command.resolve_command(typer.Context(command), list(words[count:]))
        count += 1
    return command, count


def _call(call: Call) -> None:
    if call.words[0] == "alerts":
        alerts(list(call.words[1:]), prog_name=f"{PROGRAM} alerts")
    else:
        app(list(call.words), prog_name=PROGRAM)


def _takes(call: Call, option: str) -> bool:
    command, _ = command_of(call.words)
    return any(option in parameter.opts for parameter in command.params)


def _in_namespace(call: Call, own: Kubectl) -> Call:
    """In the context's namespace, unless one or all are asked for."""
    if call.is_everywhere or has_option(call.words, *_NAMESPACE) or not _takes(call, "--namespace"):
        return call
    return call.behind(command_of(call.words)[1], "--namespace", call.namespace or own.namespace())


@contextmanager
def _for_history(call: Call, own: Kubectl) -> Iterator[Call]:
    """With Elasticsearch reachable, and the cluster's objects where the command reads them."""
    if call.words[0] == "observe" and has_option(call.words, *_FOLLOW):
        raise KubectlError(
            "observe --follow reads Kafka, whose brokers tell clients names that only pods reach: run conntrail "
            "observe --follow in the cluster, with a reader's settings, or leave --follow away"
        )
    if not _takes(call, "--source"):  # policy evaluate: files are all it needs
        yield call
        return
    with _elasticsearch(call, own), tempfile.TemporaryDirectory(prefix="conntrail-") as directory:
        call = _with_objects(call, own, Path(directory) / "objects.json")
        is_said = has_option(call.words, "--source")
        yield call if is_said else call.behind(command_of(call.words)[1], "--source", "elasticsearch")


def _with_objects(call: Call, own: Kubectl, file: Path) -> Call:
    """Objects come from the API server, with your rights: the topic that has them is in Kafka."""
    option = next(
        (name for name in ("--objects", "--filename") if call.words[0] == "policy" and _takes(call, name)), ""
    )
    if not option or has_option(call.words, option, *(("-f",) if option == "--filename" else ())):
        return call
    file.write_text(json.dumps(own.objects(wanted_resources(own.resources()))), encoding="utf-8")
    return call.behind(command_of(call.words)[1], option, str(file))


@contextmanager
def _elasticsearch(call: Call, own: Kubectl) -> Iterator[None]:
    """Settings of the installation in the environment, where none of yours stand; its Elasticsearch reachable."""
    installation = choose_installation(own.settings())
    with ExitStack() as opened:
        found = dict(installation.shared())
        if _HOSTS not in os.environ:
            target = installation.elasticsearch()
            found[_HOSTS] = opened.enter_context(forwarded(call, target)) if isinstance(target, Target) else target
        _take(found)
        yield


def _take(settings: Mapping[str, str]) -> None:
    """Into the environment, where none of yours stand."""
    for name, value in settings.items():
        os.environ.setdefault(name, value)


@contextmanager
def _api(call: Call, own: Kubectl) -> Iterator[None]:
    with forwarded(call, choose_api(own.parts())) as url:
        os.environ[VARIABLE] = url
        yield


@contextmanager
def _for_doctor(call: Call, own: Kubectl) -> Iterator[Call]:
    """With this context's kubeconfig, for the rights of the cluster agent's service account where there is one, and
    those that the settings of its pod ask for.
    """
    call = call if has_area(call.words) else call.behind(1, *_AREAS)
    with ExitStack() as opened, tempfile.TemporaryDirectory(prefix="conntrail-") as directory:
        file = Path(directory) / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(own.kubeconfig(), encoding="utf-8")
        call = call.behind(1, "--kubeconfig", str(file))
        agents = own.cluster_agents()
        _take(agent_settings(agents))
        account = account_of(agents)
        if account and not has_option(call.words, _ACCOUNT):
            call = call.behind(1, _ACCOUNT, account)
        if "elasticsearch" in call.words:
            opened.enter_context(_elasticsearch(call, own))
        yield call
