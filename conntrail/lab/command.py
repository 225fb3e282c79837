"""``conntrail lab``: a cluster of network namespaces on this machine."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Build a cluster of network namespaces from Kubernetes YAML, with real traffic. Needs root.",
    epilog="Example: conntrail lab up && conntrail lab traffic --duration 30 && conntrail lab down",
)
_OUTPUTS = ("table", "wide", "json", "jsonl")
_COLUMNS = ("node", "namespace", "name", "addresses")
_WIDE_COLUMNS = (*_COLUMNS, "workload", "network_namespace")
_Directory = Annotated[Path | None, typer.Option("--state-dir", help="Where the lab keeps its state.")]


def _lab(directory: Path | None) -> Any:
    from conntrail.lab.main import Lab, default_directory  # noqa: PLC0415

    return Lab(directory or default_directory())


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
    lab = _lab(state_dir)
    lab.up(manifests, _say)
    for name, path in lab.nodes.items():
        typer.echo(f"{name}  conntrail agent --node {name} --netns {path}")
    typer.echo(f"objects  conntrail cluster-agent --manifests {lab.cluster_directory}")


@app.command()
def down(state_dir: _Directory = None) -> None:
    """Remove everything, also what a lab that was killed left behind."""
    lab = _lab(state_dir)
    if not lab.down():
        _say(f"no lab was there, in {lab.layout.root}")


@app.command(epilog="Example: conntrail lab status -o json")
def status(
    output: Annotated[str, typer.Option("--output", "-o", help="table, wide, json or jsonl.")] = "table",
    state_dir: _Directory = None,
) -> None:
    """List nodes and pods."""
    if output not in _OUTPUTS:
        raise typer.BadParameter(f"expected {', '.join(_OUTPUTS)}", param_hint="--output")
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


@app.command()
def traffic(
    duration: Annotated[float, typer.Option(min=1, help="Seconds.")] = 30,
    rate: Annotated[float, typer.Option(min=0, help="Connections a second; 0: as the manifests say.")] = 0,
    state_dir: _Directory = None,
) -> None:
    """Let every pod do what it is told; the truth of it goes to truth.jsonl."""
    lab = _lab(state_dir)
    lab.traffic(duration, _say, rate)
    typer.echo(str(lab.truth_path))


@app.command()
def apply(path: Annotated[Path, typer.Argument(help="YAML of NetworkPolicies.")], state_dir: _Directory = None) -> None:
    """Add or change policies while the lab runs."""
    _lab(state_dir).apply(path)


@app.command()
def delete(
    path: Annotated[Path, typer.Argument(help="YAML of NetworkPolicies.")], state_dir: _Directory = None
) -> None:
    """Remove policies while the lab runs."""
    _lab(state_dir).delete(path)
