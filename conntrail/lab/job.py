"""Jobs and CronJobs that are told to call somebody: when their pods appear while there is traffic, and where. Pure."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import EVERY, Cluster, Object, Pod
from conntrail.lab.controller import wanted_of_job
from conntrail.lab.workload import has_ended, is_made_by_another, is_run_by_traffic, names_of

_EVERY_SECONDS: Final = 10.0
"""Of a CronJob without the lab's annotation: traffic is over before most schedules come round."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a Job or CronJob, with all that is needed to derive its pod again."""

    kind: str
    namespace: str
    name: str
    created_at: str
    node: str
    slot: int


def jobs(cluster: Cluster) -> list[Object]:
    """Those whose pods come and go."""
    names = names_of(cluster.given)
    return [
        value
        for value in cluster.given
        if is_run_by_traffic(value) and not has_ended(value) and not is_made_by_another(value, names)
    ]


def starts(values: Sequence[Object]) -> Iterator[tuple[float, Object]]:
    """Seconds from the beginning of traffic at which each job runs, in order: a Job once, a CronJob without end.

    CronJobs are spread over their periods, so that a pod gets the address that another had a moment before.
    """
    times = [_times(value, position, len(values)) for position, value in enumerate(values)]
    for at, position in heapq.merge(*times):
        yield at, values[position]


def next_run(cluster: Cluster, job: Object, created_at: str) -> Run:
    """A run of a job, on the last node with room, so that each gets the address of the one before.

    Raises CommandError when every node is full.
    """
    metadata = job["metadata"]
    for node in reversed(cluster.nodes):
        slot = cluster.free_slot(node)
        if slot is not None:
            return Run(job["kind"], metadata["namespace"], metadata["name"], created_at, node.name, slot)
    raise CommandError(f"{job['kind']} {metadata['namespace']}/{metadata['name']}: no node has an address left")


def run_pod(cluster: Cluster, run: Run) -> Pod:
    """The pod of a run."""
    job = next(
        value
        for value in cluster.given
        if (value["kind"], value["metadata"].get("namespace"), value["metadata"]["name"])
        == (run.kind, run.namespace, run.name)
    )
    number = int(datetime.fromisoformat(run.created_at).timestamp())
    wanted = next(wanted_of_job(job, number, [run.created_at]))
    return Pod(
        namespace=run.namespace,
        name=wanted.name,
        node=next(node for node in cluster.nodes if node.name == run.node),
        slot=run.slot,
        created_at=run.created_at,
        owners=wanted.owners,
        labels=wanted.labels,
        annotations=wanted.annotations,
        spec=wanted.spec,
    )


def _times(value: Object, position: int, total: int) -> Iterator[tuple[float, int]]:
    if value["kind"] == "Job":
        yield 0.0, position
        return
    every = float(value["metadata"].get("annotations", {}).get(EVERY, _EVERY_SECONDS))
    for turn in count():
        yield every * (turn + position / total), position
