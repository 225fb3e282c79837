"""``conntrail lab``: a cluster of network namespaces on this machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from conntrail.lab.rootless.command import down_inside, enter, go_inside, is_user, up_inside
from conntrail.lab.rootless.reader import is_inside

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Build a cluster of network namespaces from Kubernetes YAML, with real traffic; as root, or as a user who may "
    "make user namespaces.",
    epilog="Example: conntrail lab up && conntrail lab traffic --duration 30 && conntrail lab down",
)
_COLUMNS = ("node", "namespace", "name", "addresses")
_WIDE_COLUMNS = (*_COLUMNS, "workload", "network_namespace")
_Directory = Annotated[Path | None, typer.Option("--state-dir", help="Where the lab keeps its state.")]
_User = Annotated[
    str, typer.Option("--as", metavar="USER", help="Who does it, as the audit log says; default: the user's name.")
]


def _lab(directory: Path | None, inside: Callable[[Path], NoReturn] = go_inside) -> Any:
    from conntrail.lab.main import Lab, default_directory  # noqa: PLC0415

    where = directory or default_directory()
    if is_user():
        inside(where)
    return Lab(where)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _print_table(pods: list[dict[str, Any]], *, is_wide: bool) -> None:
    columns = _WIDE_COLUMNS if is_wide else _COLUMNS
    rows = [[_cell(pod[column]) for column in columns] for pod in pods]
    titles = [column.replace("_", " ").upper() for column in columns]
    widths = [max(map(len, cells)) for cells in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(value)


@app.command(epilog="Example: conntrail lab up --manifests ./manifests")
def up(
    manifests: Annotated[
        Path | None, typer.Option(help="Kubernetes YAML, a file or a directory; default: the lab's own.")
    ] = None,
    state_dir: _Directory = None,
) -> None:
    """Build nodes, pods, services and policies, and start the servers."""
    lab = _lab(state_dir, up_inside)
    lab.up(manifests, _say)
    entering = "conntrail lab enter -- " if is_inside() else ""
    for name, path in lab.nodes.items():
        typer.echo(f"{name}  {entering}conntrail agent --node {name} --netns {path}")
    typer.echo(
        f"objects  {entering}conntrail cluster-agent --manifests {lab.cluster_directory} --audit-log {lab.audit_path}"
    )
    if entering:
        _say("this lab has a network of its own: Kafka and Elasticsearch must run in it, too (conntrail lab enter)")


@app.command(epilog="Example: conntrail lab down")
def down(state_dir: _Directory = None) -> None:
    """Remove everything, also what a lab that was killed left behind."""
    lab = _lab(state_dir, down_inside)
    if not lab.down():
        _say(f"no lab was there, in {lab.layout.root}")


@app.command(epilog="Example: conntrail lab status -o json")
def status(
    output: Annotated[
        Literal["table", "wide", "json", "jsonl"], typer.Option("--output", "-o", help="How to print it.")
    ] = "table",
    state_dir: _Directory = None,
) -> None:
    """List nodes and pods."""
    found = _lab(state_dir).status()
    if output == "json":
        typer.echo(json.dumps(found, indent=2))
    elif output == "jsonl":
        for pod in found["pods"]:
            typer.echo(json.dumps(pod))
    else:
        _print_table(found["pods"], is_wide=output == "wide")


@app.command(
    "exec",
    context_settings={"ignore_unknown_options": True},
    epilog="Example: conntrail lab exec shop/frontend -- curl http://10.96.0.10/",
)
def execute(
    pod: Annotated[str, typer.Argument(help="namespace/name, or namespace/workload.")],
    command: Annotated[list[str], typer.Argument(help="The command, after --.")],
    state_dir: _Directory = None,
) -> None:
    """Run a command in a pod's network."""
    raise typer.Exit(_lab(state_dir).execute(pod, command))


@app.command(
    "enter",
    context_settings={"ignore_unknown_options": True},
    epilog="Example: conntrail lab enter --unprivileged -- conntrail local up",
)
def enter_lab(
    command: Annotated[list[str], typer.Argument(help="The command, after --.")],
    unprivileged: Annotated[
        bool, typer.Option("--unprivileged", help="Without rights over the lab: for what refuses to be root.")
    ] = False,
) -> None:
    """Run a command beside the nodes: a user's lab has a network of its own, where agents and Kafka must be."""
    enter(command, is_privileged=not unprivileged)


@app.command(epilog="Example: conntrail lab traffic --duration 30 --rate 20")
def traffic(
    duration: Annotated[float, typer.Option(min=1, help="Seconds.")] = 30,
    rate: Annotated[float, typer.Option(min=0, help="Connections a second; 0: as the manifests say.")] = 0,
    state_dir: _Directory = None,
) -> None:
    """Let every pod do what it is told; the truth of it goes to truth.jsonl."""
    lab = _lab(state_dir)
    lab.traffic(duration, _say, rate)
    typer.echo(str(lab.truth_path))


@app.command(epilog="Example: conntrail lab apply deny-all.yaml --as jane")
def apply(
    path: Annotated[Path, typer.Argument(help="YAML of policies.")], user: _User = "", state_dir: _Directory = None
) -> None:
    """Add or change policies while the lab runs; its audit log tells who did it."""
    _lab(state_dir).apply(path, user=user)


@app.command(epilog="Example: conntrail lab delete deny-all.yaml --as jane")
def delete(
    path: Annotated[Path, typer.Argument(help="YAML of policies.")], user: _User = "", state_dir: _Directory = None
) -> None:
    """Remove policies while the lab runs; its audit log tells who did it."""
    _lab(state_dir).delete(path, user=user)


@app.command(epilog="Example: conntrail lab call guest/intruder pod/shop/frontend --ports 8000-8049 --expect refused")
def call(
    pod: Annotated[str, typer.Argument(help="namespace/name, or namespace/workload.")],
    target: Annotated[str, typer.Argument(help="service.namespace, pod/namespace/workload, or an address.")],
    ports: Annotated[str, typer.Option(help="Ports, comma between several, and ranges: 80,8000-8049.")],
    kind: Annotated[str, typer.Option(help="http, tls, tcp or udp, with a 6 at its end by IPv6.")] = "tcp",
    expect: Annotated[
        Literal["allowed", "denied", "refused"], typer.Option(help="What truth.jsonl says was expected.")
    ] = "allowed",
    state_dir: _Directory = None,
) -> None:
    """Let a pod call each of these ports once, all at the same time: a first contact, or a scan."""
    from conntrail.lab.port import ports_of  # noqa: PLC0415

    _lab(state_dir).call(pod, {"kind": kind, "to": target, "expect": expect}, ports_of(ports))


@app.command(epilog="Example: conntrail lab stop shop/payment")
def stop(
    workload: Annotated[str, typer.Argument(help="namespace/workload, or namespace/pod.")], state_dir: _Directory = None
) -> None:
    """End what its pods serve by, as a crash does: calls are refused until conntrail lab start."""
    _lab(state_dir).stop(workload)


@app.command(epilog="Example: conntrail lab start shop/payment")
def start(
    workload: Annotated[str, typer.Argument(help="namespace/workload, or namespace/pod.")], state_dir: _Directory = None
) -> None:
    """Let its pods serve again after conntrail lab stop."""
    _lab(state_dir).start(workload)


@app.command(epilog="Example: conntrail lab unready data/postgres")
def unready(
    workload: Annotated[str, typer.Argument(help="namespace/workload, or namespace/pod.")], state_dir: _Directory = None
) -> None:
    """Let no Service lead to its pods, whose programs run on; conntrail lab ready ends that."""
    _lab(state_dir).set_ready(workload, is_ready=False)


@app.command(epilog="Example: conntrail lab ready data/postgres")
def ready(
    workload: Annotated[str, typer.Argument(help="namespace/workload, or namespace/pod.")], state_dir: _Directory = None
) -> None:
    """Let Services lead to its pods again."""
    _lab(state_dir).set_ready(workload, is_ready=True)
