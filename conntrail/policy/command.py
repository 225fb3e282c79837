"""`conntrail policy`: what network policies say, asked of objects in files."""

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from conntrail.errors import CommandError
from conntrail.policy.listing import describe_policy
from conntrail.policy.manifest import Cluster, build_cluster
from conntrail.policy.query import parse_question, render_answer
from conntrail.policy.reader import read_lines, read_objects
from conntrail.writer import print_table
from streams.policy.evaluate import evaluate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Ask what network policies say, of objects in files.",
    epilog="Example: kubectl get pod,ns,netpol -A -o yaml > all.yaml && conntrail policy list -f all.yaml",
)


class Output(StrEnum):
    """How answers are printed."""

    table = "table"
    wide = "wide"
    json = "json"
    jsonl = "jsonl"


_Objects = Annotated[
    list[Path], typer.Option("-f", "--filename", help="YAML or JSON objects, a file or a directory; may be repeated.")
]
_More = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="More of them, as a shell expands -f *.yaml.")]


@app.command(
    "evaluate",
    epilog="Example: conntrail policy evaluate -f manifests/ --queries questions.jsonl, with questions such as "
    '{"source": {"pod": "shop/web"}, "destination": {"pod": "data/postgres-0"}, "protocol": "TCP", "port": 5432}',
)
def evaluate_questions(
    filename: _Objects,
    queries: Annotated[Path, typer.Option(help="Questions, one JSON object a line; the example below is one.")],
    more: _More = None,
    output: Annotated[Output, typer.Option("-o", "--output", help="How to print the answers.")] = Output.jsonl,
) -> None:
    """Answer many questions against objects in files, without a cluster: one answer a question, in their order."""
    try:
        cluster = build_cluster(read_objects([*filename, *(more or ())]))
        answers = _answer(cluster, queries)
        _print(answers, output)
    except CommandError as error:
        _fail(error)


@app.command("list", epilog="Example: conntrail policy list -f manifests/ -o wide")
def list_policies(
    filename: _Objects,
    more: _More = None,
    output: Annotated[Output, typer.Option("-o", "--output", help="How to print the policies.")] = Output.table,
) -> None:
    """List the policies and, by name, whatever in them cannot be evaluated."""
    try:
        policies = build_cluster(read_objects([*filename, *(more or ())])).policies.policies
        if not policies:
            typer.echo("no policy among these objects", err=True)
        _print((describe_policy(policy) for policy in policies), output)
    except CommandError as error:
        _fail(error)


def _answer(cluster: Cluster, queries: Path) -> Iterable[dict[str, object]]:
    for number, line in read_lines(queries):
        try:
            question = parse_question(line, cluster)
        except CommandError as error:
            raise CommandError(f"{queries}:{number}: {error}") from None
        yield render_answer(evaluate(cluster.policies, question))


def _print(rows: Iterable[dict[str, object]], output: Output) -> None:
    if output is Output.jsonl:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
    elif output is Output.json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False, indent=2))
    elif found := list(rows):
        print_table(list(found[0]), [list(map(_cell, row.values())) for row in found])


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_cell(item)}" for key, item in value.items() if item not in ([], ""))
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return str(value)


def _fail(error: CommandError) -> None:
    typer.echo(f"conntrail policy: {error}", err=True)
    raise typer.Exit(1)
