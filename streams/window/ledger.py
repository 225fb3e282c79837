"""Which parts of one partition are held, which steps are due, which windows are final.

Pure: the log's order and the clock come in as arguments. The rules that make totals exact:
1. A part is held under its name until its window is final; the same part again replaces itself.
2. A step closes when every node that is alive has reported beyond it, or when the grace has passed.
3. What arrives for a closed step opens it again; it is emitted anew with a higher revision. Steps that were judged by
   it, since what one end alone saw is held against the steps around, are settled again.
4. A window is final when its steps and the step after them are closed. Then, and only then, its offsets may be
   committed: after a crash the log itself rebuilds everything that was not final.
5. A window that began before this ledger did, or that is final already, may have parts that the ledger does not
   hold: it is restored from the log before it is touched.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from streams.source.event_time import EventTime
from streams.source.part import Part, PartName
from streams.window.spans import Spans

_REMEMBERED_STEPS = 3
"""A node that has been silent for so many steps is no longer waited for."""

_RETAINED_STEPS = 16
"""Steps of final windows that are kept for those after them: two a window, and some for windows that came late."""


@dataclass(slots=True)
class Step:
    """One step of event time."""

    start_ns: int
    parts: set[PartName] = field(default_factory=set)
    """Parts whose rows count here: those whose interval begins in this step."""
    covering: set[PartName] = field(default_factory=set)
    """Parts whose interval touches this step: a node that was away reports one long interval."""
    is_open: bool = True
    was_emitted: bool = False
    is_settled: bool = False
    """The steps on both sides are closed, so what one end alone saw here is known to be so."""
    is_outdated: bool = False
    """A part of another step has come that this one is judged by."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a part."""

    is_duplicate: bool = False
    is_late: bool = False


class Ledger:
    """The parts of one partition. Not thread-safe."""

    def __init__(self, spans: Spans, assigned_at_ns: int) -> None:
        """``assigned_at_ns``: windows that begin later than this are whole in what will be added."""
        self._spans = spans
        self._whole_from_ns = assigned_at_ns
        self._parts: dict[PartName, Part] = {}
        self._steps: dict[int, Step] = {}
        self._windows: set[int] = set()
        self._held_by: dict[PartName, set[int]] = {}
        self._retained: dict[int, list[Part]] = {}
        self._reported_until_ns: dict[str, int] = {}
        self._shares: dict[tuple[str, str, int], set[int]] = {}
        self._event_time = EventTime(spans.grace_ns, spans.step_ns)
        self._warm_from_ns: int | None = None

    @property
    def windows(self) -> set[int]:
        """Starts of the windows that are held."""
        return self._windows

    def needs_restoring(self, part: Part) -> list[int]:
        """Windows that must be restored from the log before this part is added."""
        return self._not_held(part.batch.interval_start_ns, part.batch.interval_end_ns)

    def judged_by(self, part: Part) -> list[int]:
        """Windows that must be restored besides, since steps of theirs were judged without this part."""
        steps = self._judged_by(self._spans.step_of(part.batch.interval_start_ns))
        return self._not_held(steps[0], steps[-1] + self._spans.step_ns)

    def begin_window(self, window_ns: int) -> None:
        """Hold a window: a new one, or one whose earlier parts are about to be added from the log."""
        self._windows.add(window_ns)
        for start in self._spans.steps_of(window_ns):
            self._retained.pop(start, None)

    def add(self, part: Part, now_ns: int) -> Added:
        """Hold a part. One that is held already is attached to the windows that were restored since."""
        part = self._parts.setdefault(part.name, part)
        batch = part.batch
        touched = self._spans.windows_between(batch.interval_start_ns, batch.interval_end_ns)
        self._windows.update(touched)
        self._held_by.setdefault(part.name, set()).update(touched)
        home = self._step(self._spans.step_of(batch.interval_start_ns))
        is_late = not home.is_open
        home.parts.add(part.name)
        is_new = False
        for start in self._spans.steps_between(batch.interval_start_ns, batch.interval_end_ns):
            step = self._step(start)
            if part.name not in step.covering:
                step.covering.add(part.name)
                step.is_open = is_new = True
        if is_new:
            self._unsettle(home)
        self._note_progress(part, now_ns)
        return Added(is_duplicate=not is_new, is_late=is_late and is_new)

    def due(self, now_ns: int) -> list[Step]:
        """Open steps that may close now, in order of time."""
        return [step for start, step in sorted(self._steps.items()) if step.is_open and self._is_due(start, now_ns)]

    def close(self, step: Step) -> None:
        """Say that a step has been emitted."""
        step.is_open = False
        step.was_emitted = True

    def step_parts(self, step: Step) -> list[Part]:
        """Parts whose rows count in a step, in an order that depends on nothing but their names."""
        return [self._parts[name] for name in sorted(step.parts)]

    def parts_beside(self, step: Step) -> int:
        """How many parts of other steps it is judged by."""
        return len(self.neighbours(step)) + len(self.earlier(step)) if step.is_settled else 0

    def reporting_nodes(self, step: Step) -> set[str]:
        """Nodes whose agents could see in this step."""
        batches = (self._parts[name].batch for name in step.covering)
        return {batch.node for batch in batches if batch.coverage != "blind"}

    def neighbours(self, step: Step) -> list[Part]:
        """Parts of the steps on either side, and those that began earlier and reach into this one."""
        names: set[PartName] = set(step.covering) - step.parts
        before, after = step.start_ns - self._spans.step_ns, step.start_ns + self._spans.step_ns
        for beside in (self._steps.get(before), self._steps.get(after)):
            names |= beside.parts if beside else set()
        retained = (*self._retained.get(before, ()), *self._retained.get(after, ()))
        return [*retained, *(self._parts[name] for name in sorted(names))]

    def earlier(self, step: Step) -> list[Part]:
        """Parts of the step before the one before this."""
        start = step.start_ns - 2 * self._spans.step_ns
        held = self._steps.get(start)
        return [*self._retained.get(start, ()), *(self._parts[name] for name in sorted(held.parts if held else ()))]

    def missing_beside(self, step: Step) -> list[int]:
        """Starts of those of the steps that this one is judged by that may have had parts that are not held."""
        starts = (step.start_ns + count * self._spans.step_ns for count in (-2, -1, 1))
        return [start for start in starts if not self._is_known(start)]

    def retain(self, start_ns: int, parts: list[Part]) -> None:
        """Keep the parts of a step of a window that is final, for those that are judged by it."""
        self._retained[start_ns] = parts
        for old in sorted(self._retained)[:-_RETAINED_STEPS]:
            del self._retained[old]

    def may_replace(self, step_or_window_ns: int, was_emitted: bool) -> bool:
        """Whether an earlier revision may have been emitted, before a window was final or by another worker."""
        return was_emitted or step_or_window_ns < self._whole_from_ns

    def settle(self, now_ns: int) -> list[Step]:
        """Closed steps whose neighbours have just closed too; each once, and once more for each late part beside it."""
        found = []
        for start, step in sorted(self._steps.items()):
            is_due = not step.is_open and (not step.is_settled or step.is_outdated)
            if is_due and self._is_step_closed(start + self._spans.step_ns, now_ns):
                step.is_settled, step.is_outdated = True, False
                found.append(step)
        return found

    def window_steps(self, window_ns: int) -> list[Step]:
        """Steps of a window that have parts."""
        return [self._steps[start] for start in self._spans.steps_of(window_ns) if start in self._steps]

    def is_closed(self, window_ns: int, now_ns: int) -> bool:
        """Whether every step of a window is closed and none can begin to fill without being late."""
        end = window_ns + self._spans.size_ns
        return self._is_due(end - self._spans.step_ns, now_ns) and not any(
            step.is_open for step in self.window_steps(window_ns)
        )

    def is_final(self, window_ns: int, now_ns: int) -> bool:
        """Whether a window and the step after it are closed, with another grace for late metadata."""
        end = window_ns + self._spans.size_ns
        return (
            self.is_closed(window_ns, now_ns)
            and all(step.is_settled and not step.is_outdated for step in self.window_steps(window_ns))
            and self._event_time.at(now_ns) >= end + self._spans.step_ns + 2 * self._spans.grace_ns
        )

    def drop(self, window_ns: int) -> list[int]:
        """Forget a final window; return the offsets of the parts that no other window holds."""
        self._windows.discard(window_ns)
        self._whole_from_ns = max(self._whole_from_ns, window_ns + self._spans.size_ns)
        offsets = []
        for start in list(self._spans.steps_of(window_ns))[-2:]:
            step = self._steps.get(start)
            self.retain(start, self.step_parts(step) if step else [])
        for start in self._spans.steps_of(window_ns):
            step = self._steps.pop(start, None)
            for name in step.covering if step else ():
                holders = self._held_by.get(name, {window_ns})
                holders.discard(window_ns)
                if not holders and self._held_by.pop(name, None) is not None:
                    offsets.append(self._parts.pop(name).offset)
                    self._shares.pop((name.node, name.boot, name.sequence), None)
        return offsets

    def offsets(self) -> Iterable[int]:
        """Offsets of all parts held."""
        return (part.offset for part in self._parts.values())

    def _not_held(self, start_ns: int, end_ns: int) -> list[int]:
        touched = self._spans.windows_between(start_ns, end_ns)
        return [window for window in touched if window not in self._windows and window < self._whole_from_ns]

    def _judged_by(self, start_ns: int) -> list[int]:
        """Starts of the other steps that look at this one: see ``neighbours`` and ``earlier``."""
        return [start_ns + count * self._spans.step_ns for count in (-1, 1, 2)]

    def _unsettle(self, home: Step) -> None:
        for start in self._judged_by(home.start_ns):
            step = self._steps.get(start)
            if step is not None:
                step.is_outdated = True

    def _is_known(self, start_ns: int) -> bool:
        window = self._spans.window_of(start_ns)
        return start_ns in self._retained or window in self._windows or window >= self._whole_from_ns

    def _is_step_closed(self, start_ns: int, now_ns: int) -> bool:
        step = self._steps.get(start_ns)
        return self._is_due(start_ns, now_ns) if step is None else not step.is_open

    def _step(self, start_ns: int) -> Step:
        return self._steps.setdefault(start_ns, Step(start_ns))

    def _note_progress(self, part: Part, now_ns: int) -> None:
        batch = part.batch
        self._event_time.note(batch.interval_end_ns, now_ns)
        if self._warm_from_ns is None:
            self._warm_from_ns = batch.interval_end_ns + self._spans.step_ns + self._spans.grace_ns
        share = self._shares.setdefault((batch.node, batch.boot, batch.sequence), set())
        share.add(batch.part)
        if len(share) >= batch.parts:
            known = self._reported_until_ns.get(batch.node, 0)
            self._reported_until_ns[batch.node] = max(known, batch.interval_end_ns)

    def _is_due(self, start_ns: int, now_ns: int) -> bool:
        end = start_ns + self._spans.step_ns
        if self._event_time.at(now_ns) >= end + self._spans.grace_ns:
            return True
        if self._warm_from_ns is None or end < self._warm_from_ns:
            return False
        oldest = end - _REMEMBERED_STEPS * self._spans.step_ns
        return all(until >= end for until in self._reported_until_ns.values() if until >= oldest)
