"""`conntrail policy`: what network policies say, of objects in files, and of the cluster with what was seen there."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from conntrail.errors import CommandError
from conntrail.policy.explain.command import explain
from conntrail.policy.exposure.command import show_gaps
from conntrail.policy.manifest import Cluster, build_cluster
from conntrail.policy.preview.command import preview
from conntrail.policy.query import parse_question, render_answer
from conntrail.policy.reader import read_lines, read_objects
from conntrail.policy.recommend.command import recommend
from conntrail.policy.usage.command import More, list_policies, show_hits, show_unused
from conntrail.policy.writer import Output, fail, print_rows
from streams.policy.evaluate import evaluate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Ask what network policies say, and what they did.",
    epilog="Example: kubectl get pod,ns,netpol -A -o yaml > all.yaml && conntrail policy list -f all.yaml",
)
app.command("list", epilog="Examples: conntrail policy list   ·   conntrail policy list -f manifests/ -o wide")(
    list_policies
)
app.command("hits", epilog="Example: conntrail policy hits --since 24h -n shop")(show_hits)
app.command("unused", epilog="Example: conntrail policy unused --since 30d -o json")(show_unused)
app.command("gaps", epilog="Example: conntrail policy gaps --since 7d -n shop")(show_gaps)
app.command(
    "explain",
    epilog="Examples: conntrail policy explain shop/web shop/db:5432   ·   "
    "conntrail policy explain shop/web 203.0.113.9:443 --domain pay.example",
)(explain)
app.command("preview", epilog="Example: conntrail policy preview -f policies/ --since 24h -o markdown")(preview)
app.command(
    "recommend",
    epilog="Examples: conntrail policy recommend -n shop > shop.yaml && conntrail policy preview -f shop.yaml   ·   "
    "conntrail policy recommend --staged --since 7d",
)(recommend)

_Objects = Annotated[
    list[Path], typer.Option("-f", "--filename", help="YAML or JSON objects, a file or a directory; may be repeated.")
]


@app.command(
    "evaluate",
    epilog="Example: conntrail policy evaluate -f manifests/ --queries questions.jsonl, with questions such as "
    '{"source": {"pod": "shop/web"}, "destination": {"pod": "data/postgres-0"}, "protocol": "TCP", "port": 5432}; '
    'of a request besides "http": {"method": "GET", "path": "/x"}, of a DNS query "dns": {"name": "a.example"}',
)
def evaluate_questions(
    filename: _Objects,
    queries: Annotated[Path, typer.Option(help="Questions, one JSON object a line; the example below is one.")],
    more: More = None,
    output: Annotated[Output, typer.Option("-o", "--output", help="How to print the answers.")] = Output.jsonl,
) -> None:
    """Answer many questions against objects in files, without a cluster: one answer a question, in their order."""
    try:
        cluster = build_cluster(read_objects([*filename, *(more or ())]))
        answers = _answer(cluster, queries)
        print_rows(answers, output)
    except CommandError as error:
        fail(error)


def _answer(cluster: Cluster, queries: Path) -> Iterable[dict[str, object]]:
    for number, line in read_lines(queries):
        try:
            question = parse_question(line, cluster)
        except CommandError as error:
            raise CommandError(f"{queries}:{number}: {error}") from None
        yield render_answer(evaluate(cluster.policies, question))
