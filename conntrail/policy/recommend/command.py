"""`conntrail policy recommend`."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from conntrail.errors import CommandError
from conntrail.policy.usage.command import Files, Namespace, Since, Source, Until, past, show_notes
from conntrail.policy.writer import fail, say

if TYPE_CHECKING:
    from conntrail.policy.cluster.snapshot import Snapshot
    from conntrail.policy.recommend.dialect import Dialect
    from conntrail.policy.recommend.recommendation import Recommendation

_SHOWN = 20


class RecommendOutput(StrEnum):
    """How recommended policies are printed; kubectl takes each of them."""

    yaml = "yaml"
    json = "json"
    jsonl = "jsonl"


class Kind(StrEnum):
    """What is recommended."""

    kubernetes = "NetworkPolicy"
    calico = "CalicoNetworkPolicy"
    cilium = "CiliumNetworkPolicy"


_Kind = Annotated[
    Kind, typer.Option("--kind", help="CalicoNetworkPolicy is projectcalico.org/v3.", case_sensitive=False)
]
_Staged = Annotated[
    bool, typer.Option("--staged", help="Policies that are only tried out: by annotation, with Calico by kind.")
]
_All = Annotated[bool, typer.Option("--all", help="Isolate workloads too of which no traffic was seen.")]
_Icmp = Annotated[
    bool,
    typer.Option("--keep-icmp", help="Let through what the kind has no word for, ICMP for one, with every port."),
]
_Skip = Annotated[
    bool,
    typer.Option("--skip-unprovable", help="Leave out, and tell, traffic that cannot be replayed: who it was is gone."),
]


def recommend(
    filename: Files = None,
    namespace: Namespace = "",
    since: Since = "24h",
    until: Until = "",
    kind: _Kind = Kind.kubernetes,
    staged: _Staged = False,
    with_silent: _All = False,
    keep_icmp: _Icmp = False,
    skip_unprovable: _Skip = False,
    source: Source = "auto",
    output: Annotated[RecommendOutput, typer.Option("-o", "--output", help="How to print.")] = RecommendOutput.yaml,
) -> None:
    """Recommend least-privilege policies for workloads from what was seen allowed, each rule with its evidence.

    Before they are printed they are proven: history is replayed against them, and nothing seen allowed is denied.
    What was denied or failed is not allowed. Exit status 1 when the proof fails.
    """
    from conntrail.policy.cluster.reader import read_cluster  # noqa: PLC0415 - keeps --help fast
    from conntrail.policy.recommend.recommendation import Wish  # noqa: PLC0415
    from conntrail.policy.recommend.recommendation import recommend as recommended  # noqa: PLC0415
    from conntrail.policy.recommend.remark import statement  # noqa: PLC0415
    from runtime.reader import read_settings  # noqa: PLC0415

    dialect = _dialect(kind)
    if staged and dialect.staged is None:
        raise typer.BadParameter(f"{kind} has no staged form", param_hint="--staged")
    try:
        snapshot = read_cluster(read_settings(), filename)
        _check_namespace(namespace, snapshot)
        period, history = past(since, until, source)
        show_notes(snapshot.notes)
        found = recommended(
            Wish(dialect, namespace, is_staged=staged, keeps_icmp=keep_icmp, with_silent=with_silent), history, snapshot
        )
        _refuse(found, dialect, skip_unprovable)
    except CommandError as error:
        fail(error)
        return
    head = [
        f"conntrail policy recommend: {kind} for {namespace or 'all namespaces'}, {period}, from {history.origin}",
        statement(found.proof),
        *snapshot.notes,
        *history.notes,
    ]
    _print(found, dialect, staged, output, head)


def _check_namespace(namespace: str, snapshot: "Snapshot") -> None:
    known = {*snapshot.namespaces, *(pod.endpoint.namespace for pod in snapshot.pods.values())}
    if namespace and namespace not in known:
        raise CommandError(f"the cluster has no namespace {namespace}")


def _dialect(kind: Kind) -> "Dialect":
    from conntrail.policy.recommend.calico import CALICO  # noqa: PLC0415 - keeps --help fast
    from conntrail.policy.recommend.cilium import CILIUM  # noqa: PLC0415
    from conntrail.policy.recommend.network_policy import NETWORK_POLICY  # noqa: PLC0415

    return {Kind.kubernetes: NETWORK_POLICY, Kind.calico: CALICO, Kind.cilium: CILIUM}[kind]


def _refuse(found: "Recommendation", dialect: "Dialect", skip_unprovable: bool) -> None:
    """Raises CommandError unless everything is proven; what stands against it is told before."""
    from conntrail.policy.recommend.remark import failures, remarks, unprovable  # noqa: PLC0415 - keeps --help fast

    against = list(failures(found))
    if against:
        _say_some(against)
        raise CommandError(f"{len(against)} records stand against these policies, so they are not shown")
    lost = list(unprovable(found))
    if lost and not skip_unprovable:
        _say_some(lost)
        raise CommandError(
            f"{len(lost)} records cannot be replayed, so nothing is proven: ask for less time by --since, "
            "or leave them out by --skip-unprovable"
        )
    if not found.drafts:
        _say_some(list(remarks(found, dialect)))
        raise CommandError("nothing was seen there that could be allowed: ask for more time by --since")


def _say_some(lines: list[str]) -> None:
    for line in lines[:_SHOWN]:
        say(line)
    if len(lines) > _SHOWN:
        say(f"and {len(lines) - _SHOWN} more")


def _print(found: "Recommendation", dialect: "Dialect", staged: bool, output: RecommendOutput, head: list[str]) -> None:
    from conntrail.policy.recommend.remark import remarks  # noqa: PLC0415 - keeps --help fast
    from conntrail.policy.recommend.text import comment, json_text, manifests  # noqa: PLC0415

    told = list(remarks(found, dialect, is_staged=staged))
    if output is RecommendOutput.yaml:
        typer.echo(comment([*head, *told]) + found.text, nl=False)
    elif output is RecommendOutput.json:
        typer.echo(json_text(manifests(found.drafts, dialect, is_staged=staged)), nl=False)
    else:
        for manifest in manifests(found.drafts, dialect, is_staged=staged):
            typer.echo(json.dumps(manifest, ensure_ascii=False))
    for line in (*head, *told):
        say(line)
