"""`conntrail report`: compliance evidence for auditors, and the check of it."""

import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from conntrail.errors import CommandError
from conntrail.policy.history.period import parse_period
from conntrail.policy.writer import Output as RowOutput
from conntrail.report.evidence.section import BY_NAME
from conntrail.report.writer import Output, print_entries, print_report, say
from runtime.unit import Seconds

_MS = 1000
_SHOWN_FAULTS = 20

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    help="Make evidence for auditors: who talked to whom, under which policies, what was denied, what is unprotected, "
    "who changed policies, and what was not seen.\n\n"
    "Without --directory one report of any time is printed. With it, one is written for each day (UTC), as JSON, HTML "
    "and CSV, each bound to the day before by its hash; run it daily, before Elasticsearch lets the data go.",
    epilog="Examples: conntrail report --since 7d -n shop   ·   conntrail report --since 2026-01-01 --until 2026-02-01 "
    "-o html > january.html   ·   conntrail report --since 24h --section denials -o csv   ·   "
    "conntrail report --directory /evidence   ·   conntrail report verify /evidence",
)


def _section(name: str | None) -> str | None:
    if name is not None and name not in BY_NAME:
        raise typer.BadParameter(f"expected one of {', '.join(BY_NAME)}")
    return name


def _complete_section(incomplete: str) -> list[tuple[str, str]]:
    return [(name, section.title) for name, section in BY_NAME.items() if name.startswith(incomplete)]


@app.callback()
def report(
    context: typer.Context,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Traffic from and to a namespace; the whole cluster without it.")
    ] = "",
    since: Annotated[
        str,
        typer.Option(help="From when: 24h, 7d, or 2026-01-31; 24h when not given. With --directory a day, by default "
                          "the one after the last that is there."),
    ] = "",
    until: Annotated[
        str, typer.Option(help="Up to when, likewise, not included; now when not given. With --directory, today.")
    ] = "",
    directory: Annotated[
        Path | None, typer.Option("--directory", "-d", help="Write a report a day into this directory, as a chain.")
    ] = None,
    final_after: Annotated[
        str, typer.Option(help="How long data of a time may come after its end; until then a report is provisional.")
    ] = "24h",
    amend: Annotated[
        bool, typer.Option("--amend", help="Where data came after a day was final, write an amendment too.")
    ] = False,
    section: Annotated[
        str | None,
        typer.Option(callback=_section, autocompletion=_complete_section, metavar="NAME",
                     help=f"This section alone, with table, jsonl and csv: {', '.join(BY_NAME)}."),
    ] = None,
    output: Annotated[Output, typer.Option("-o", "--output", help="How to print it.")] = Output.table,
) -> None:  # fmt: skip
    """See the help of the group."""
    if context.invoked_subcommand is not None:
        return
    if output is Output.csv and section is None:
        raise typer.BadParameter("one table a file: give --section", param_hint="-o csv")
    if directory is not None and (output is not Output.table or section is not None):
        raise typer.BadParameter("it has every form and section: leave -o and --section away", param_hint="--directory")
    if amend and directory is None:
        raise typer.BadParameter("amendments stand beside the days of a --directory", param_hint="--amend")
    from conntrail.report.fact.facts import Scope  # noqa: PLC0415 - keeps --help fast
    from conntrail.report.main import Order, period_report, write_days  # noqa: PLC0415
    from runtime.reader import read_settings  # noqa: PLC0415

    final_after_ms = _duration_ms("--final-after", final_after)
    if directory is None:
        period = parse_period(since or "24h", until, int(time.time() * _MS))
        found = period_report(read_settings(), namespace, period, final_after_ms, say)
        print_report(found, output, [section] if section else list(BY_NAME))
        return
    first, end = _day("--since", since), _day("--until", until)
    settings = read_settings()
    order = Order(directory, Scope(settings.cluster, namespace), first, end, final_after_ms, amend)
    entries = write_days(settings, order, say)
    chain = [entry for entry in entries if entry.is_final]
    if chain:
        last = max(chain, key=lambda entry: entry.sequence or 0)
        say(f"hash of the last entry, {last.directory}: keep it where the keeper of the files cannot change it")
        typer.echo(last.sha256)


@app.command(
    "verify",
    epilog="Examples: conntrail report verify /evidence   ·   conntrail report verify /evidence --head 3f9a…   ·   "
    "conntrail report verify /evidence -o json",
)
def verify_reports(
    directory: Annotated[Path, typer.Argument(help="What conntrail report --directory wrote.")],
    head: Annotated[str, typer.Option(help="Hash of the last entry, as it was written down elsewhere.")] = "",
    after: Annotated[str, typer.Option(help="Where earlier entries were put away: the hash of the last of them.")] = "",
    output: Annotated[RowOutput, typer.Option("-o", "--output", help="How to print the entries.")] = RowOutput.table,
) -> None:
    """Check every byte of the reports in a directory, and that no day is missing, changed or written anew.

    Needs nothing but the files. A fault is a line that names day, file, bytes and section; then the exit status is 1.
    """
    from conntrail.report.chain.main import amendments, verify  # noqa: PLC0415 - keeps --help fast

    checked = verify(directory, head.lower(), after.lower())
    for fault in checked.faults[:_SHOWN_FAULTS]:
        say(f"conntrail report: {fault}")
    if checked.faults:
        if len(checked.faults) > _SHOWN_FAULTS:
            say(f"conntrail report: … and {len(checked.faults) - _SHOWN_FAULTS} more faults")
        raise typer.Exit(1)
    changes = {entry.directory: found for entry, found in amendments(directory, checked.entries)}
    print_entries(checked.entries, changes, output)
    final = sum(entry.is_final for entry in checked.entries)
    provisional = len(checked.entries) - final
    say(f"{final} final entries, unbroken and as written; {provisional} provisional; {len(changes)} amendments")


def _day(option: str, text: str) -> date | None:
    """``7d`` ago or a date, as a day."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    from conntrail.report.chain.plan import day_of  # noqa: PLC0415 - keeps --help fast

    return day_of(max(0, int(time.time() * _MS) - _duration_ms(option, text)))


def _duration_ms(option: str, text: str) -> int:
    try:
        return int(Seconds.parse(text) * _MS)
    except ValueError as error:
        raise CommandError(f"{option} {text}: expected 24h or 7d, or a day such as 2026-01-31") from error
