"""Tells what happened beside the objects: changes of them, Kubernetes events, and the audit log joined with both.

Changes are in Kafka before the objects that show them are, so that an agent that ends in between finds the same
changes again, under the same ids. Audit requests are answered with success only when Kafka has their events.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from agents.cluster.audit.choice import Allowance, Choice, choose
from agents.cluster.audit.letter import STAGE, audit_letter
from agents.cluster.audit.parse import Event, ObjectReference, ParseError, parse_line
from agents.cluster.audit.reader import AuditFile
from agents.cluster.audit.record import audit_record, request_of, title_of_object
from agents.cluster.audit.server import AuditServer
from agents.cluster.change.attribution import Attribution
from agents.cluster.change.record import change_record, found_differences
from agents.cluster.event.book import EventBook
from agents.cluster.event.record import event_record, object_of
from agents.cluster.feed.waiting import Waiting
from agents.cluster.feed.writer import FeedTopics
from agents.cluster.inventory import Inventory, Update
from agents.cluster.metrics import ClusterMetrics
from agents.cluster.record.kind import TITLES
from agents.cluster.record.slim import Record, key_of, title_of
from agents.cluster.touch import touched, touched_fields
from runtime.settings import AuditSettings
from schemas.topic import CHANGES, DEAD_LETTER, KUBERNETES_AUDIT, KUBERNETES_EVENTS, Topic

_LETTERS_PER_SECOND: Final = 10
_AUDIT_PATIENCE_SECONDS: Final = 5.0
Object = Mapping[str, Any]


class Feed:
    """One process's; ``start`` begins a session with an inventory of its own."""

    def __init__(
        self, cluster: str, topics: FeedTopics, settings: AuditSettings, server: AuditServer, metrics: ClusterMetrics
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._settings = settings
        self._server = server
        self._file = AuditFile(settings.file, settings.state_file) if settings.file else None
        self._metrics = metrics
        self._book = EventBook()
        self._attribution = Attribution()
        self._waiting = Waiting()
        self._rest = Allowance(settings.per_second)
        self._letters = Allowance(_LETTERS_PER_SECOND)

    def start(self, may_publish: Callable[[], bool]) -> None:
        """Connect, and learn what has been told. Raises WriteError when Kafka refuses."""
        self._topics.start(may_publish)
        self._book, self._attribution, self._waiting = EventBook(), Attribution(), Waiting()
        for record in self._topics.told_events():
            self._book.know(record)

    def stop(self) -> None:
        """Take nothing more."""
        self._server.is_open = False
        for submission in self._server.take():
            submission.settle(is_kept=False)
        self._topics.stop()

    def faults(self) -> list[str]:
        """Why audit events may be missing."""
        return [self._file.fault] if self._file is not None and self._file.fault else []

    def tell_changes(self, inventory: Inventory, updates: Iterable[Update]) -> None:
        """Of updates that are not published yet; returns when Kafka has them."""
        now_ns, is_any = time.time_ns(), False
        for update in updates:
            differences = found_differences(update)
            waiting = self._waiting.release(update.key, now_ns)
            if update.record is None or not (differences or waiting):
                continue
            what = touched(inventory, title_of(update.key), update.record["namespace"], update.record["name"])
            for difference in differences:
                change = change_record(update, difference, what)
                self._send_change(self._attribution.note_change(update.key, change, now_ns))
                is_any = True
            for topic, record in waiting:
                self._topics.send(topic, record["namespace"], {**record, **touched_fields(what)})
        if is_any:
            self._topics.flush()

    def tell_events(self, inventory: Inventory, events: Sequence[Object]) -> None:
        """Those that have not been told."""
        for value in events:
            about = object_of(value)
            record = event_record(self._cluster, value, touched(inventory, *about))
            if self._book.know(record):
                self._topics.send(KUBERNETES_EVENTS, record["namespace"], record)
                self._hold(inventory, key_of(*about), KUBERNETES_EVENTS, record)

    def step(self, inventory: Inventory) -> None:
        """Take in what audit webhook and audit log have brought."""
        self._server.is_open = self._topics.has(KUBERNETES_AUDIT)
        for submission in self._server.take():
            self._refuse(submission.faults, submission.size_bytes)
            self._tell_audit(inventory, submission.events)
            submission.settle(is_kept=self._topics.flush(_AUDIT_PATIENCE_SECONDS))
        if self._file is not None and self._topics.has(KUBERNETES_AUDIT):
            self._follow(self._file, inventory)

    def _follow(self, file: AuditFile, inventory: Inventory) -> None:
        found = file.read()
        events: list[Event] = []
        self._refuse(["a line that is too long"] * found.skipped, 0)
        for line in found.lines:
            try:
                events.append(parse_line(line))
            except ParseError as error:
                self._refuse([str(error)], len(line))
        self._tell_audit(inventory, events)
        if found.used_bytes and self._topics.flush():
            file.confirm()

    def _tell_audit(self, inventory: Inventory, events: Iterable[Event]) -> None:
        now_ns = time.time_ns()
        for event in events:
            choice = choose(event, has_reads=self._settings.reads)
            is_kept = choice is Choice.ALWAYS or (choice is Choice.LIMITED and self._rest.take(now_ns))
            if not is_kept:
                reason = "rate" if choice is Choice.LIMITED else choice.value
                self._metrics.audit_left_out.labels(reason).inc()
                continue
            reference = event.objectRef or ObjectReference()
            about = (title_of_object(event), reference.namespace, reference.name)
            record = audit_record(self._cluster, event, touched(inventory, *about), now_ns)
            self._topics.send(KUBERNETES_AUDIT, record["namespace"], record)
            self._hold(inventory, key_of(*about), KUBERNETES_AUDIT, record)
            request = request_of(event)
            for change in [] if request is None else self._attribution.note_request(request):
                self._send_change(change)

    def _hold(self, inventory: Inventory, key: str, topic: Topic, record: Record) -> None:
        """Until its object is known, when that is one which will be told of."""
        if not record["workloads"] and record["name"] and title_of(key) in TITLES and inventory.record(key) is None:
            self._waiting.hold(key, topic, record, time.time_ns())

    def _send_change(self, change: Record) -> None:
        self._topics.send(CHANGES, change["namespace"], change)

    def _refuse(self, faults: Iterable[str], size_bytes: int) -> None:
        now_ns = time.time_ns()
        for fault in faults:
            self._metrics.audit_malformed.inc()
            if self._letters.take(now_ns):
                self._topics.send(DEAD_LETTER, STAGE, audit_letter(self._cluster, fault, size_bytes, now_ns))
            else:
                self._metrics.audit_letters_cut.inc()
