"""Whatever the order and the cut of batches: each exchange counts once when the node that is entitled to it reports."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from operator import itemgetter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.batch import Batch
from streams.exchange.evaluate import evaluate_part
from streams.exchange.ledger import Ledger
from streams.source.part import Part
from tests.support.objects import SECOND
from tests.support.parts import batch, part
from tests.unit.streams.exchange.builders import DIRECTORY, FAMILIES, asked

_LAST = 30
_GRACE = 5
_PATHS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "two nodes": (("node1", "client", "server", "service"), ("node2", "client", "server", "server")),
    "one node": (("node1", "client", "beside", "beside"),),
    "hidden": (("node1", "client", "server", "service"), ("node2", "node1", "server", "server")),
    "outside": (("edge", "outside", "server", "server"), ("node2", "outside", "server", "server")),
    "edge": (("edge", "outside", "server", "edge"), ("node2", "edge", "server", "server")),
    "leaving": (("node1", "client", "outside", "outside"), ("edge", "node1", "outside", "outside")),
}
"""(reporter, client, server, dialled) of each node that sees an exchange."""
_Exchange = tuple[int, str, str]


@st.composite
def exchanges(draw: st.DrawFn) -> list[_Exchange]:
    """Second, path and family."""
    one = st.tuples(st.integers(0, _LAST - 1), st.sampled_from(sorted(_PATHS)), st.sampled_from(sorted(FAMILIES)))
    return draw(st.lists(one, max_size=12))


@st.composite
def cuts(draw: st.DrawFn) -> dict[str, list[int]]:
    """Where each node's intervals meet."""
    inner = st.lists(st.integers(1, _LAST - 1), max_size=4, unique=True)
    return {node: [0, *sorted(draw(inner)), _LAST] for node in ("node1", "node2", "edge")}


def batches(happened: list[_Exchange], meeting: Mapping[str, list[int]]) -> list[Part]:
    """What all nodes report, in order."""
    return [
        part(batch(node, sequence, start, end), rows_of(node, start, end, happened), 0, "dns_exchange")
        for node, edges in meeting.items()
        for sequence, (start, end) in enumerate(pairwise(edges))
    ]


def rows_of(node: str, start: int, end: int, happened: list[_Exchange]) -> list[dict[str, Any]]:
    """Aggregated as an agent does it."""
    times: dict[tuple[str, str, str], list[int]] = {}
    for second, path, family in happened:
        for reporter, client, server, dialled in _PATHS[path]:
            if reporter == node and start <= second < end:
                of = FAMILIES[family]
                times.setdefault((of[client], of[server], of[dialled]), []).append(second)
    return [
        asked(*ends, count=len(seen), first_seen_at_ns=min(seen) * SECOND + 1, last_seen_at_ns=max(seen) * SECOND + 2)
        for ends, seen in times.items()
    ]


def counted(parts: list[Part], *, at_once: bool) -> int:
    """Exchanges that count when the parts come in this order, all of them within the grace."""
    ledger = Ledger(grace_ns=2 * _LAST * SECOND, first_offset=0)
    ledger.note_earlier(0, ())
    now_ns = _LAST * SECOND
    total = 0
    for one in parts:
        ledger.add(one, now_ns)
        assert ledger.due(now_ns) == []
    while at_once or ledger.due(now_ns + 1000 * SECOND):
        due = ledger.due(now_ns + 1000 * SECOND)
        for one in due if at_once else due[:1]:
            total += int(evaluate_part(one.rows, ledger.reports, DIRECTORY).rows["count"].sum())
        ledger.drop(due if at_once else due[:1])
        at_once = False
    return total


@given(exchanges(), cuts(), st.randoms(use_true_random=False), st.booleans())
def test_every_exchange_counts_once(
    happened: list[_Exchange], meeting: dict[str, list[int]], random: Any, at_once: bool
) -> None:
    parts = batches(happened, meeting)
    parts += random.sample(parts, random.randint(0, len(parts)))  # some of them twice
    random.shuffle(parts)
    assert counted(parts, at_once=at_once) == len(happened)


@given(exchanges(), cuts(), st.data())
def test_every_exchange_counts_once_when_reports_come_within_the_grace(
    happened: list[_Exchange], meeting: dict[str, list[int]], data: st.DataObject
) -> None:
    parts = batches(happened, dict.fromkeys(meeting, meeting["node1"]))
    assert counted_as_they_come(parts, _GRACE - 1, data, ()) == len(happened)


@given(exchanges(), cuts(), st.data())
def test_every_exchange_counts_once_when_nodes_that_have_reported_are_late(
    happened: list[_Exchange], meeting: dict[str, list[int]], data: st.DataObject
) -> None:
    short = {node: sorted({*edges, *range(0, _LAST, _GRACE)}) for node, edges in meeting.items()}
    earlier = [batch(node, 9, -1, 0) for node in meeting]
    assert counted_as_they_come(batches(happened, short), 3 * _GRACE - 1, data, earlier) == len(happened)


def counted_as_they_come(parts: list[Part], latest: int, data: st.DataObject, earlier: Iterable[Batch]) -> int:
    """Exchanges that count when each node's parts come in their order, late by up to so many seconds."""
    came = dict.fromkeys((one.batch.node for one in parts), 0)
    arrivals = []
    for one in parts:
        delay = data.draw(st.integers(0, latest)) * SECOND
        came[one.batch.node] = max(came[one.batch.node], one.batch.interval_end_ns + delay)
        arrivals.append((came[one.batch.node], one))
    ledger = Ledger(_GRACE * SECOND, first_offset=0)
    ledger.note_earlier(0, earlier)
    total = 0
    for now_ns, new in [*sorted(arrivals, key=itemgetter(0)), (1000 * SECOND, None)]:
        if new is not None:
            assert not ledger.is_late(new)
            ledger.add(new, now_ns)
        due = ledger.due(now_ns)
        total += sum(int(evaluate_part(of.rows, ledger.reports, DIRECTORY).rows["count"].sum()) for of in due)
        ledger.drop(due)
    assert not list(ledger.offsets())
    return total


@given(exchanges(), cuts(), st.randoms(use_true_random=False))
def test_what_a_silent_node_would_have_counted_is_counted_by_the_other(
    happened: list[_Exchange], meeting: dict[str, list[int]], random: Any
) -> None:
    seen_elsewhere = [(at, path, family) for at, path, family in happened if path == "two nodes"]
    parts = [one for one in batches(seen_elsewhere, meeting) if one.batch.node != "node1"]
    random.shuffle(parts)
    assert counted(parts, at_once=False) == len(seen_elsewhere)
