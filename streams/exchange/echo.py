"""Which of two nodes' reports of one exchange counts, so that it counts once.

Every row is entitled to one node, whoever reports it:
1. where the client's address was somebody's, the node of that pod, or that node itself. A client that a node's NAT
   hid behind its own address is that node's: it knows the real one, and what it reports of that counts;
2. else, where the client lies in a pod network, or dialled the server itself, the server's node: nobody hid the
   client, so the server's node sees the same one;
3. else nobody but its reporter: a node at the edge that translates what the outside dials hides the client too, so
   the server's node sees that edge node as its client, which is the first case.

A row of another node than the one that it is entitled to is an echo, and dropped, when that one reported any of the
row's time, from its first to its last exchange: that counted them. Where that began or stopped within that time, a few
are lost rather than all counted twice; its coverage says so. A node that is blind reports nothing. An exchange that an
edge node translates without hiding the client counts twice: no row tells it from the third case.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from streams.exchange.report import Reports
from streams.metadata.directory import Directory

Flags = npt.NDArray[np.bool_]


def entitled_nodes(named: pl.DataFrame, directory: Directory) -> pl.Series:
    """Name of the node that each row is entitled to."""
    client = _nodes(named["source_index"], directory)
    server = _nodes(named["destination_index"], directory)
    is_same_client = named["is_client_inside"] | (named["dialled_address"] == named["server_address"])
    return pl.select(
        pl.coalesce(client, pl.when(is_same_client).then(server), named["node"]).alias("entitled")
    ).to_series()


def is_echo(named: pl.DataFrame, reports: Reports, directory: Directory) -> pl.Series:
    """Whether each row was counted by the node that it is entitled to. ``named``: rows with NAMED and batch facts."""
    entitled = entitled_nodes(named, directory)
    is_elsewhere = (entitled != named["node"]).to_numpy()
    echoes = np.zeros(named.height, np.bool_)
    first_ns, last_ns = _times(named)
    for node in entitled.filter(pl.Series(is_elsewhere)).unique().to_list():
        rows = np.flatnonzero(is_elsewhere & (entitled == node).to_numpy())
        echoes[rows] = reports.touch(node, first_ns[rows], last_ns[rows])
    return pl.Series("is_echo", echoes)


def _nodes(indices: pl.Series, directory: Directory) -> pl.Series:
    """Null where nobody had the address, or where it is not known on which node."""
    names = directory.node_names.cast(pl.String).gather(indices)
    return names.set(names == "", None)


def _times(named: pl.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First and last exchange of each row; of one that does not say, its interval."""
    first = pl.when(pl.col("first_seen_at_ns") > 0).then("first_seen_at_ns").otherwise("interval_start_ns")
    last = pl.when(pl.col("last_seen_at_ns") > 0).then("last_seen_at_ns").otherwise(pl.col("interval_end_ns") - 1)
    times = named.select(pl.min_horizontal(first, last).alias("first"), pl.max_horizontal(first, last).alias("last"))
    return times["first"].to_numpy(), times["last"].to_numpy()
