"""HTTP/1.1 on a socket: a request, its response, and how long that took."""

import secrets
import uuid
from typing import Final

from conntrail.lab.program.dial.reader import Dial
from conntrail.lab.program.task import Order, Task
from conntrail.lab.program.truth.fact import Fact, HttpExchange
from conntrail.lab.program.web.page import HEAD_END, body_bytes
from conntrail.lab.program.web.request import Request, filled, status_of

_NS_PER_US: Final = 1000
_MOST_IDENTITY: Final = 1_000_000


def new_request(order: Order, task: Task, turn: int) -> Request:
    """The next of a task, with identifiers of its own."""
    template = task.paths[turn % len(task.paths)]
    return Request(
        method=task.method,
        host=task.host or "lab",
        path=filled(template, secrets.randbelow(_MOST_IDENTITY), str(uuid.uuid4())),
        template=template,
        user_agent=f"lab/1.0 ({order.workload})",
        request_id=str(uuid.uuid4()),
        trace_parent=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
    )


def exchange(dial: Dial, request: Request, facts: list[Fact], *, is_last: bool) -> None:
    """Ask and take the whole answer. Raises ConnectionError or TimeoutError, after the exchange was noted."""
    started = dial.send(request.wire(is_last=is_last))
    status, latency_us = 0, None
    try:
        data, at = dial.receive()
        latency_us = max(at - started, 0) // _NS_PER_US if data else None
        while HEAD_END not in data:
            data += _more(dial)
        head, _, body = data.partition(HEAD_END)
        status = status_of(head)
        left = body_bytes(head) - len(body)
        while left > 0:
            left -= len(_more(dial))
    finally:
        facts.append(
            HttpExchange(
                dial.ends, request.method, request.host, request.path, request.template, request.user_agent,
                request.request_id, request.trace_parent, status, latency_us, started,
            )
        )  # fmt: skip


def _more(dial: Dial) -> bytes:
    data, _ = dial.receive()
    if not data:
        raise ConnectionResetError("closed in the middle of a response")
    return data
