from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.source.part import Part, PartName
from streams.window.ledger import Ledger
from streams.window.spans import Spans
from tests.support.parts import SECOND, bare_part, batch

SPANS = Spans(size_ns=30 * SECOND, step_ns=10 * SECOND, grace_ns=10 * SECOND)
LONG_AFTER = 10_000 * SECOND


@dataclass
class Replay:
    """What the processor does with a ledger, on a list instead of Kafka."""

    log: list[Part]
    final: int = 0
    steps: dict[int, frozenset[PartName]] = field(default_factory=dict)
    reporting: dict[int, frozenset[str]] = field(default_factory=dict)

    def run(self, until: int, assigned_at_ns: int, now_ns: int) -> None:
        """Read the log from the first offset that is not final, up to ``until``, then let the clock say ``now_ns``."""
        ledger = Ledger(SPANS, assigned_at_ns)
        expected = self.final
        for part in self.log[self.final : until]:
            self._restore(ledger, part)
            ledger.add(part, part.batch.interval_end_ns)
            expected = part.offset + 1
            self._emit(ledger, part.batch.interval_end_ns, expected)
        self._emit(ledger, now_ns, expected)

    def _restore(self, ledger: Ledger, part: Part) -> None:
        pending = ledger.needs_restoring(part)
        while pending:
            window = pending.pop()
            ledger.begin_window(window)
            for other in self.log[: part.offset]:
                span = other.batch
                if span.interval_start_ns < window + SPANS.size_ns and span.interval_end_ns > window:
                    pending += [w for w in ledger.needs_restoring(other) if w not in pending]
                    ledger.add(other, part.batch.interval_end_ns)

    def _emit(self, ledger: Ledger, now_ns: int, expected: int) -> None:
        for step in ledger.due(now_ns):
            self.steps[step.start_ns] = frozenset(step.parts)
            self.reporting[step.start_ns] = frozenset(ledger.reporting_nodes(step))
            ledger.close(step)
        ledger.settle(now_ns)
        for window in sorted(w for w in ledger.windows if ledger.is_final(w, now_ns)):
            ledger.drop(window)
        self.final = min((o for o in ledger.offsets() if o >= self.final), default=expected)


intervals = st.tuples(
    st.sampled_from(["node1", "node2", "node3"]),
    st.integers(0, 11),
    st.sampled_from([1, 1, 1, 4]),
)


@st.composite
def logs(draw: st.DrawFn) -> list[Part]:
    """Intervals of three nodes in any order, some long, some sent twice."""
    chosen = draw(st.lists(intervals, min_size=1, max_size=25))
    parts = []
    for offset, (node, index, length) in enumerate(chosen):
        span = batch(node, index, 1000 + 10 * index, 1000 + 10 * (index + length), boot=str(length))
        parts.append(bare_part(span, offset))
    return parts


@settings(max_examples=150)
@given(logs(), st.lists(st.integers(0, 25), max_size=4), st.integers(900, 1200))
def test_after_any_number_of_crashes_every_step_was_emitted_with_all_its_parts(
    log: list[Part], crashes: list[int], assigned_at: int
) -> None:
    replay = Replay(log)
    for crash in sorted(crashes):
        replay.run(min(crash, len(log)), assigned_at * SECOND, now_ns=0)
    replay.run(len(log), LONG_AFTER, now_ns=LONG_AFTER)

    expected: dict[int, set[PartName]] = {}
    for part in log:
        expected.setdefault(SPANS.step_of(part.batch.interval_start_ns), set()).add(part.name)
    emitted = {start: set(names) for start, names in replay.steps.items() if names}
    assert emitted == expected
    assert replay.final == len(log)


@given(logs())
def test_a_node_counts_as_reporting_in_every_step_that_its_interval_touches(log: list[Part]) -> None:
    replay = Replay(log)
    replay.run(len(log), 0, now_ns=LONG_AFTER)
    for part in log:
        for start in SPANS.steps_between(part.batch.interval_start_ns, part.batch.interval_end_ns):
            assert part.batch.node in replay.reporting[start]


def test_the_same_part_twice_is_held_once() -> None:
    ledger = Ledger(SPANS, 0)
    first = ledger.add(bare_part(batch(sequence=1, start=10, end=20), 0), 0)
    again = ledger.add(bare_part(batch(sequence=1, start=10, end=20), 1), 0)
    assert not first.is_duplicate
    assert again.is_duplicate


def test_a_step_waits_for_a_node_that_is_alive_and_not_for_one_that_is_gone() -> None:
    ledger = Ledger(SPANS, 0)
    closed_when: dict[int, int] = {}
    for index in range(8):
        for node in ("node1", "node2") if index < 3 else ("node1",):
            ledger.add(
                bare_part(batch(node, index, 10 * index, 10 * index + 10), 2 * index), (10 * index + 10) * SECOND
            )
            for step in ledger.due(0):
                ledger.close(step)
                closed_when[step.start_ns // SECOND] = index
    assert closed_when[30] == 4, "node2 was alive, so the grace was given"
    assert closed_when[70] == 7, "node2 is long gone, so nothing is waited for"


def test_an_interval_in_two_messages_is_complete_only_with_both() -> None:
    ledger = Ledger(SPANS, 0)
    for index in range(4):
        ledger.add(
            bare_part(batch(sequence=index, start=10 * index, end=10 * index + 10), index), (10 * index + 10) * SECOND
        )
    for step in ledger.due(0):
        ledger.close(step)
    ledger.add(bare_part(batch(sequence=4, start=40, end=50, part=0, parts=2), 4), 50 * SECOND)
    assert [step.start_ns for step in ledger.due(0)] == []
    ledger.add(bare_part(batch(sequence=4, start=40, end=50, part=1, parts=2), 5), 50 * SECOND)
    assert [step.start_ns // SECOND for step in ledger.due(0)] == [40]


def test_what_comes_late_opens_its_step_again() -> None:
    ledger = Ledger(SPANS, 0)
    ledger.add(bare_part(batch("node1", 0, 10, 20), 0), 0)
    for step in ledger.due(LONG_AFTER):
        ledger.close(step)
    added = ledger.add(bare_part(batch("node2", 0, 10, 20), 1), 0)
    assert added.is_late
    (step,) = ledger.due(LONG_AFTER)
    assert len(step.parts) == 2
    assert ledger.may_replace(step.start_ns, step.was_emitted)


def test_what_is_restored_after_its_window_was_final_replaces_what_was_emitted() -> None:
    ledger = Ledger(SPANS, 0)
    late = bare_part(batch("node2", 0, 40, 50), 1)
    ledger.add(bare_part(batch("node1", 0, 40, 50), 0), 50 * SECOND)
    for step in ledger.due(LONG_AFTER):
        assert not ledger.may_replace(step.start_ns, step.was_emitted)
        ledger.close(step)
    ledger.settle(LONG_AFTER)
    (window,) = [window for window in ledger.windows if ledger.is_final(window, LONG_AFTER)]
    ledger.drop(window)

    assert list(ledger.needs_restoring(late)) == [window]
    ledger.begin_window(window)
    ledger.add(late, LONG_AFTER)
    (step,) = [step for step in ledger.due(2 * LONG_AFTER) if step.parts]
    assert ledger.may_replace(step.start_ns, step.was_emitted)
    assert ledger.may_replace(window, was_emitted=False)


def closed_and_settled(ledger: Ledger) -> list[int]:
    """Starts of the steps that are settled now, in seconds, all due ones closed before."""
    for step in ledger.due(LONG_AFTER):
        ledger.close(step)
    return [step.start_ns // SECOND for step in ledger.settle(LONG_AFTER)]


def test_a_late_part_settles_again_the_steps_that_are_judged_by_it() -> None:
    ledger = Ledger(SPANS, 0)
    for index in range(6):
        ledger.add(bare_part(batch("node1", index, 10 * index, 10 * index + 10), index), 0)
    assert closed_and_settled(ledger) == [0, 10, 20, 30, 40, 50]
    assert closed_and_settled(ledger) == []
    known = {step.start_ns // SECOND: ledger.parts_beside(step) for step in ledger.window_steps(0)}
    late = bare_part(batch("node2", 0, 20, 30), 6)
    assert ledger.add(late, 0).is_late
    assert closed_and_settled(ledger) == [10, 30, 40]
    assert closed_and_settled(ledger) == []
    now = {step.start_ns // SECOND: ledger.parts_beside(step) for step in ledger.window_steps(0)}
    assert now == {0: known[0], 10: known[10] + 1, 20: known[20]}
    assert ledger.add(late, 0).is_duplicate
    assert closed_and_settled(ledger) == []


def test_of_a_late_part_the_windows_beside_it_are_restored_too() -> None:
    ledger = Ledger(SPANS, 100 * SECOND)
    assert ledger.needs_restoring(bare_part(batch(start=10, end=20), 0)) == [0]
    assert ledger.judged_by(bare_part(batch(start=10, end=20), 0)) == [0, 30 * SECOND]
    assert ledger.judged_by(bare_part(batch(start=30, end=40), 0)) == [0, 30 * SECOND]
    assert ledger.judged_by(bare_part(batch(start=130, end=140), 0)) == []


def test_what_a_restored_step_is_judged_by_is_asked_for_on_both_sides() -> None:
    ledger = Ledger(SPANS, 90 * SECOND)
    ledger.begin_window(30 * SECOND)
    ledger.add(bare_part(batch("node1", 0, 50, 60), 0), 0)
    (step,) = ledger.window_steps(30 * SECOND)
    assert ledger.missing_beside(step) == [60 * SECOND]
    ledger.retain(60 * SECOND, [bare_part(batch("node2", 0, 60, 70), 1)])
    assert ledger.missing_beside(step) == []
    assert [part.batch.node for part in ledger.neighbours(step)] == ["node2"]
    ledger.begin_window(60 * SECOND)
    assert ledger.neighbours(step) == [], "its parts are added from the log"


def test_a_window_is_not_final_while_a_step_waits_to_be_settled_again() -> None:
    ledger = Ledger(SPANS, 0)
    for index in range(6):
        ledger.add(bare_part(batch("node1", index, 10 * index, 10 * index + 10), index), 0)
    closed_and_settled(ledger)
    assert ledger.is_final(0, LONG_AFTER)
    ledger.add(bare_part(batch("node2", 0, 30, 40), 6), 0)  # of the window after, beside the last step of this one
    assert not ledger.is_final(0, LONG_AFTER)
    assert 20 in closed_and_settled(ledger)
    assert ledger.is_final(0, LONG_AFTER)
