"""``conntrail alerts silence``: holds alerts back from receivers for a time, lists silences, and ends them."""

import getpass
import time
import uuid
from typing import Annotated, Any

import typer

from conntrail.errors import CommandError
from conntrail.policy.writer import Output, print_rows, say
from runtime.unit import Seconds

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    epilog="Examples: conntrail alerts silence --rule dns-* --namespace shop --for 2h --comment 'resolver moves'   ·   "
    "conntrail alerts silence list   ·   conntrail alerts silence end 4f1c",
)
_Print = Annotated[Output, typer.Option("-o", "--output", help="How to print them.")]


def _matcher(text: str) -> Any:
    return typer.Option(help=f"{text}; * and ? as in a shell.")


@app.callback()
def make(
    context: typer.Context,
    alert_id: Annotated[str, typer.Option("--id", help="One alert.")] = "",
    rule: Annotated[str, _matcher("The rule that raised it")] = "",
    category: Annotated[str, _matcher("Its category")] = "",
    severity: Annotated[str, _matcher("Its severity")] = "",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Its namespace, or a workload's.")] = "",
    workload: Annotated[str, _matcher("A workload that it touches: namespace/name or name")] = "",
    subject: Annotated[
        list[str] | None, typer.Option("--match", help="A name of its subject, as port=5432. May be repeated.")
    ] = None,
    duration: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, up to 30d.")] = "",
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    by: Annotated[str, typer.Option(help="Who asks; default: the user's name.")] = "",
) -> None:
    """Hold alerts back from receivers for a time; all that is given must hold. They stay visible, marked as they are.

    Prints the silence's id. Without options of its own: `list` and `end`.
    """
    if context.invoked_subcommand is not None:
        return
    named = {
        "id": alert_id, "rule": rule, "category": category, "severity": severity,
        "namespace": namespace, "workload": workload, **_pairs(subject or []),
    }  # fmt: skip
    matchers = {name: pattern for name, pattern in named.items() if pattern}
    if not duration:
        raise typer.BadParameter("every silence ends: say when, as --for 2h", param_hint="--for")
    _write(_made(matchers, duration, comment, by or getpass.getuser()))


@app.command("list", epilog="Example: conntrail alerts silence list --all -o wide")
def list_silences(
    every: Annotated[bool, typer.Option("--all", "-a", help="Ended ones too.")] = False,
    output: _Print = Output.table,
) -> None:
    """List silences, the one that lasts longest first."""
    from conntrail.alerts.listing import SILENCES_WIDE_ONLY, silence_row  # noqa: PLC0415 - keeps --help fast
    from streams.notice.document import silence_document  # noqa: PLC0415

    now_ns = time.time_ns()
    known = sorted(_silences().values(), key=lambda one: -int(one["ends_at_ns"]))
    found = [one for one in known if every or one["ends_at_ns"] > now_ns]
    make_row = silence_document if output in (Output.json, Output.jsonl) else silence_row
    print_rows([make_row(one, now_ns) for one in found], output, wide_only=SILENCES_WIDE_ONLY)
    if not found:
        say("no silence lasts" if known and not every else "there is no silence")


@app.command("end", epilog="Example: conntrail alerts silence end 4f1c")
def end_silence(
    silence_id: Annotated[str, typer.Argument(metavar="ID", help="The silence's id, or how it begins.")],
) -> None:
    """End a silence now: what it held back and is still open is sent."""
    from streams.notice.silence import ended  # noqa: PLC0415 - keeps --help fast

    now_ns = time.time_ns()
    found = [one for name, one in _silences().items() if name.startswith(silence_id) and one["ends_at_ns"] > now_ns]
    if len(found) != 1:
        known = f"{len(found)} silences begin so: give more of the id" if found else "no such silence lasts"
        raise CommandError(f"{silence_id[:80]!r}: {known}; see conntrail alerts silence list")
    _write(ended(found[0], now_ns))


def _pairs(texts: list[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise typer.BadParameter(f"{text!r}: expected NAME=PATTERN", param_hint="--match")
    return dict(text.split("=", 1) for text in texts)


def _made(matchers: dict[str, str], duration: str, comment: str, by: str) -> dict[str, Any]:
    from runtime.reader import read_settings  # noqa: PLC0415 - keeps --help fast
    from streams.notice.silence import SilenceError, make_silence  # noqa: PLC0415

    try:
        seconds = Seconds.parse(duration)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error
    wish = {"matchers": matchers, "duration_seconds": float(seconds), "comment": comment, "by": by}
    try:
        return make_silence(uuid.uuid4().hex, read_settings().cluster, wish, time.time_ns())
    except SilenceError as error:
        raise typer.BadParameter(str(error)) from error


def _write(silence: dict[str, Any]) -> None:
    from conntrail.alerts.writer import write_silence  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    write_silence(read_settings(), silence)
    typer.echo(silence["id"])


def _silences() -> dict[str, dict[str, Any]]:
    from conntrail.alerts.reader import NoticeTopics  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415
    from schemas.topic import SILENCES  # noqa: PLC0415

    topics = NoticeTopics(read_settings())
    topics.read(SILENCES)
    return topics.notices.silences
