"""Takes and keeps the lease, in a thread of its own, so that slow work elsewhere cannot lose it."""

import threading
import time
from datetime import UTC, datetime

import structlog

from agents.cluster.api.reader import KubernetesApi
from agents.cluster.lease.claim import Claim, Object, Step, Terms, lease_body, released_body
from agents.errors import AgentError, ConflictError, MissingError, ReadError, RightsError

_log = structlog.get_logger()


class LeaseWriter:
    """One replica's hold on the lease. Inert until ``start``."""

    def __init__(self, api: KubernetesApi, terms: Terms) -> None:
        self._api = api
        self._terms = terms
        self._claim = Claim(terms)
        self._lease: Object | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._was_held = False
        self.fault = "the lease has not been asked for yet"
        """Why the lease cannot be read or written; empty when it can."""

    def start(self) -> None:
        """Ask for the lease. Raises RightsError or MissingError when it can never be had."""
        try:
            self._advance()
        except RightsError:
            raise
        except MissingError as error:
            raise MissingError(
                f"{error}: create the namespace, or name another by CONNTRAIL_CLUSTER_AGENT__LEASE_NAMESPACE"
            ) from error
        except AgentError as error:
            self._note_fault(error)
        self._thread.start()

    def held_term(self) -> int:
        """Number of the term in which this replica may publish; 0 while it may not."""
        return self._claim.held_term(time.monotonic_ns())

    def stop(self) -> None:
        """Give the lease back."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._terms.duration_seconds)
        if self._lease is None or not self.held_term():
            return
        self._claim.note_lost()
        try:
            self._send("PUT", self._path(is_named=True), released_body(self._terms, self._lease, _now()))
        except AgentError as error:
            _log.warning("lease not given back; it ends by itself", reason=str(error))

    def _keep(self) -> None:
        while not self._stopping.wait(self._terms.renew_seconds):
            try:
                self._advance()
            except ConflictError:
                self._claim.note_lost()
            except AgentError as error:
                # What is held stays held until its time is over: an outage of the API server need not stop us.
                self._note_fault(error)
            except Exception as error:  # noqa: BLE001 - else the replica would never lead again, and nobody told
                self._note_fault(ReadError(f"lease: {type(error).__name__}: {error}"))
            self._tell()

    def _advance(self) -> None:
        try:
            path = self._path(is_named=True)
            self._lease = self._api.request("GET", path, ("get", "leases.coordination.k8s.io"), [])
        except MissingError:
            self._lease = None
        step = self._claim.step(self._lease, time.monotonic_ns())
        if step == "wait":
            self._claim.note_lost()
        else:
            self._write(step)
        self.fault = ""

    def _write(self, step: Step) -> None:
        sent_at_ns = time.monotonic_ns()
        body = lease_body(self._terms, self._lease, step, _now())
        is_new = step == "create"
        self._lease = self._send("POST" if is_new else "PUT", self._path(is_named=not is_new), body)
        self._claim.note_held(sent_at_ns)

    def _send(self, method: str, path: str, body: Object) -> Object:
        verb = "create" if method == "POST" else "update"
        return self._api.request(method, path, (verb, "leases.coordination.k8s.io"), [], body)

    def _path(self, *, is_named: bool) -> str:
        collection = f"/apis/coordination.k8s.io/v1/namespaces/{self._terms.namespace}/leases"
        return f"{collection}/{self._terms.name}" if is_named else collection

    def _note_fault(self, error: AgentError) -> None:
        if str(error) != self.fault:
            _log.warning("lease", reason=str(error))
        self.fault = str(error)

    def _tell(self) -> None:
        is_held = self.held_term() > 0
        if is_held != self._was_held:
            _log.info("lease taken" if is_held else "lease lost", identity=self._terms.identity)
        self._was_held = is_held


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
