"""What holds whatever comes, in whatever order, and however often the engine ends in between."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alert.engine import Engine
from streams.alert.fact.domain_name import entropy, is_step, registered_domain, relatives
from streams.alert.rule.builtin import builtin_rules
from streams.alert.settings import AlertSettings
from streams.alert.signal.end import End
from streams.alert.signal.signal import ChangeSignal, DnsSignal, EdgeSignal, Emission, HttpSignal, Place, Signal
from streams.alert.state.distinct import note_distinct
from streams.alert.state.tally import Entry, put_entry, sums
from tests.unit.streams.alert.builders import DENY, DNS_SERVER, SECOND, START

ENDS = [End(f"team{number % 3}", "Deployment", f"app{number}") for number in range(6)]
SETTINGS = AlertSettings(learning_seconds=0, update_seconds=5, flap_seconds=600)
SMALL = AlertSettings(
    learning_seconds=0, maximum_edges=5, maximum_edges_of_source=2, maximum_clients=3, maximum_domains=2,
    maximum_pairs=2,
    maximum_things=2, maximum_changes=2, maximum_findings=3, maximum_alerts=2,
)  # fmt: skip
STEP = st.tuples(
    st.sampled_from(["works", "denied", "refused", "prompt", "dns", "http", "policy", "wait", "wait long"]),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(1, 30),
)
STEPS = st.lists(STEP, max_size=60)
Step = tuple[str, int, int, int]
Fed = list[tuple[Signal | None, int]]


def fed_of(steps: list[Step]) -> Fed:
    """Signals with the instants that follow them; None: time passes and nothing comes."""
    found: Fed = []
    now_ns = START
    offsets: dict[str, int] = {}
    for kind, first, second, seconds in steps:
        now_ns += seconds * SECOND * (20 if kind == "wait long" else 1)
        signal = None if kind.startswith("wait") else made(kind, first, second, now_ns, offsets)
        found.append((signal, now_ns))
    return found


def made(kind: str, first: int, second: int, at: int, offsets: dict[str, int]) -> Signal:
    source, destination = ENDS[first], ENDS[second]
    topic = {"prompt": "denials", "policy": "changes"}.get(kind, kind if kind in ("dns", "http") else "windows")
    offset = offsets[topic] = offsets.get(topic, -1) + 1
    place = Place(topic, 0, offset)
    if kind == "dns":
        return DnsSignal(place, at - SECOND, at, source, DNS_SERVER, 53, f"n{second}.example", "TIMEOUT", 7)
    if kind == "http":
        return HttpSignal(place, at - SECOND, at, source, destination, 80, "error", 9, status=500)
    if kind == "policy":
        name = f"{destination.namespace}/{destination.name}"
        return ChangeSignal(place, at, f"c{offset}", "NetworkPolicy", destination.namespace, "x", "changed", "s", "kim",
                            workloads=(name,))  # fmt: skip
    facts: dict[str, Any] = {"works": {"action": "allowed", "started": 3, "active": 3, "verdict": "allow"}}.get(
        kind, {"action": "denied", "mode": "denied", "denied": 4, "denied_by": (DENY,)}
    )
    if kind == "refused":
        facts = {"action": "failed", "mode": "refused", "failed": 5}
    return EdgeSignal(place, at - SECOND, at, source, destination, 80, "tcp", is_prompt=kind == "prompt", **facts)


def records_of(fed: Fed, chosen: AlertSettings = SETTINGS, restarts: frozenset[int] = frozenset(), *,
               twice: bool = False) -> list[dict[str, Any]]:  # fmt: skip
    store: dict[str, bytes] = {}
    engine = Engine(builtin_rules(), chosen, store)
    records = []
    for number, (signal, now_ns) in enumerate(fed):
        if signal is not None:
            records += engine.take(signal)
            records += engine.take(signal) if twice else []
        records += engine.advance(now_ns)
        if number in restarts:
            engine = Engine(builtin_rules(), chosen, store)
    return records


@given(STEPS)
@settings(max_examples=80, deadline=None)
def test_an_alert_opens_once_is_updated_while_open_and_ends_once(steps: list[Step]) -> None:
    revisions: dict[str, int] = {}
    is_open: dict[str, bool] = {}
    for record in records_of(fed_of(steps)):
        identity = record["id"]
        assert record["revision"] > revisions.get(identity, -1)
        revisions[identity] = record["revision"]
        assert is_open.get(identity, False) == (record["status"] != "open")
        is_open[identity] = record["status"] != "resolved"
        assert (record["resolved_at_ns"] is None) == is_open[identity]
        assert record["member_count"] >= len(record["members"]) > 0
        assert record["count"] >= 0
        assert all(0 < cause["confidence"] <= 1 for cause in record["causes"])


@given(STEPS, st.frozensets(st.integers(0, 59), max_size=6))
@settings(max_examples=80, deadline=None)
def test_an_engine_that_ends_anywhere_tells_the_same(steps: list[Step], restarts: frozenset[int]) -> None:
    fed = fed_of(steps)
    assert records_of(fed, restarts=restarts) == records_of(fed)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_what_comes_twice_is_told_once(steps: list[Step]) -> None:
    fed = fed_of(steps)
    assert records_of(fed, twice=True) == records_of(fed)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_a_replay_of_everything_opens_nothing(steps: list[Step]) -> None:
    fed = fed_of(steps)
    now_ns = fed[-1][1] if fed else START
    store: dict[str, bytes] = {}
    engine = Engine(builtin_rules(), SETTINGS, store)
    for signal, at_ns in fed:
        if signal is not None:
            engine.take(signal)
        engine.advance(at_ns)
    engine.advance(now_ns + 30 * SECOND)
    again = [record for signal, _ in fed if signal is not None for record in engine.take(signal)]
    assert again == []
    assert [record for record in engine.advance(now_ns + 60 * SECOND) if record["status"] == "open"] == []


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_no_bound_is_passed(steps: list[Step]) -> None:
    store: dict[str, bytes] = {}
    engine = Engine(builtin_rules(), SMALL, store)
    for signal, now_ns in fed_of(steps):
        if signal is not None:
            engine.take(signal)
        engine.advance(now_ns)
        sizes: dict[str, int] = {}
        for key in store:
            sizes[key.partition("/")[0]] = sizes.get(key.partition("/")[0], 0) + 1
        bounds = {"edge": 5, "client": 3, "domain": 2, "http": 2, "thing": 2, "happening": 2, "finding": 3, "alert": 2}
        assert all(sizes.get(name, 0) <= bound for name, bound in bounds.items()), sizes


ENTRIES = st.lists(
    st.builds(
        Entry, st.sampled_from("abcd"), st.integers(0, 3), st.integers(-1, 1), st.integers(0, 50), st.just(0),
        st.integers(0, 9), st.integers(0, 9),
    ),
    max_size=20,
)  # fmt: skip


@given(ENTRIES)
def test_of_one_record_the_highest_revision_counts(entries: list[Entry]) -> None:
    kept: list[Entry] = []
    total = sum(put_entry(kept, entry)[0] for entry in entries)
    highest = {name: max(entry.revision for entry in entries if entry.id == name) for name in {e.id for e in entries}}
    assert {entry.id: entry.revision for entry in kept} == highest
    assert total == sum(entry.denied + entry.failed for entry in kept)
    denied, failed = sums(kept, -1, lambda _: True)
    assert denied <= sum(entry.denied for entry in kept)
    assert failed <= sum(entry.failed for entry in kept)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=80), st.integers(1, 20))
def test_distinct_things_are_bounded_and_the_latest_stay(met: list[tuple[int, int]], maximum: int) -> None:
    kept: dict[int, int] = {}
    now = 0
    for what, later in met:
        now += later
        note_distinct(kept, what, now, 10, maximum)
        assert len(kept) <= maximum
        assert kept[what] == now
        assert all(at > now - 10 for at in kept.values())


NAMES = st.lists(st.text("abcde", min_size=1, max_size=6), min_size=1, max_size=4).map(".".join)


@given(NAMES, st.sampled_from(["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"]))
def test_steps_of_a_search_path_are_known_by_the_name_that_was_found(name: str, suffix: str) -> None:
    found = relatives(name, "shop", "cluster.local")
    assert is_step(f"{name}.{suffix}", found, "shop", "cluster.local")
    through = relatives(f"{name}.{suffix}", "shop", "cluster.local")
    assert is_step(name, through, "shop", "cluster.local")


@given(st.text(max_size=60))
def test_whatever_a_name_is_it_has_a_domain_and_an_entropy(name: str) -> None:
    assert name.endswith(registered_domain(name))
    assert 0 <= entropy(name) <= 8


@given(st.integers(1, 5), st.integers(1, 9))
def test_a_window_that_is_emitted_again_replaces_what_it_told(count: int, again: int) -> None:
    engine = Engine(builtin_rules(), SETTINGS, {})
    records = []
    engine.take(
        EdgeSignal(Place("windows", 0, 0), START - SECOND, START, ENDS[0], ENDS[1], 80, "tcp", "allowed", started=1)
    )
    for revision, told in enumerate((5, count + 5, again + 5), 1):
        emission = Emission("w", revision, 0, START + SECOND)
        records += engine.take(
            EdgeSignal(Place("windows", 0, revision), START, START + SECOND, ENDS[0], ENDS[1], 80, "tcp", "failed",
                       mode="refused", failed=told, emission=emission)
        )  # fmt: skip
        records += engine.advance(START + revision * 10 * SECOND)
    records += engine.advance(START + 3600 * SECOND)
    assert [record["status"] for record in records].count("open") == 1
    assert records[-1]["count"] == again + 5
