"""Which reports of one tuple are of the same connection: its connections on each node, one after the other."""

from typing import Final

import numpy as np
import polars as pl

from streams.match.columns import ROLES
from streams.match.evidence import is_confirmed, is_first_packet
from streams.match.group import Flags, Numbers, differ

_FAR: Final = ROLES.index("destination")


def ordinals(runs: Numbers, rows: pl.DataFrame) -> Numbers:
    """The how-manieth connection of its tuple each is on its node, from 0, in order of their starts.

    ``runs``: a number for each tuple. ``rows``: one for each connection and node, as ``per_reporter`` gives them.
    """
    nodes = rows["node_number"].to_numpy()
    tuples = runs * (int(nodes.max(initial=0)) + 1) + nodes
    found = np.zeros(len(tuples), np.int64)
    repeated = np.flatnonzero(pl.Series(tuples).is_duplicated().to_numpy())
    if len(repeated):
        started, identity = rows["started_at_ns"].to_numpy()[repeated], rows["connection_id"].to_numpy()[repeated]
        places = repeated[np.lexsort((identity, started, tuples[repeated]))]
        is_first = differ(tuples[places])
        counted = np.cumsum(is_first | ~_goes_on(runs, rows, places))
        found[places] = counted - np.maximum.accumulate(np.where(is_first, counted, 0))
    return found


def _goes_on(runs: Numbers, rows: pl.DataFrame, places: Numbers) -> Flags:
    """Whether a row is of the connection of the row before it, of whose tuple and node it is too.

    The far end may drop a first packet and let its repetition through, since a policy changed meanwhile: an attempt and
    a connection there, while the near end has had one entry for both.
    """
    bits, roles = rows["evidence_bits"].to_numpy(), rows["role_bits"].to_numpy()
    is_far = roles == _FAR
    was_dropped = is_first_packet(bits[places]) & is_far[places]
    goes_on = np.concatenate(([False], was_dropped[:-1])) & is_confirmed(bits[places])
    if goes_on.any():
        goes_on &= np.isin(runs[places], runs[~is_far])
    return goes_on
