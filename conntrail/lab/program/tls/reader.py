"""TLS on a socket: the handshake, and one HTTP request that nobody else can read."""

import ssl
import time
from contextlib import suppress
from functools import partial
from typing import Final

from conntrail.lab.program.dial.reader import Dial, patiently
from conntrail.lab.program.task import Task
from conntrail.lab.program.truth.fact import Fact, TlsHello
from conntrail.lab.program.web.request import Request

_READ_BYTES: Final = 65_536


def exchange_secretly(dial: Dial, task: Task, request: Request, facts: list[Fact]) -> None:
    """Shake hands, ask, take the answer. Raises OSError, of which TLS's own errors are; the hello is noted anyhow."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the lab's certificate is signed by nobody
    context.set_alpn_protocols(list(task.alpn))
    started, version, chosen = time.time_ns(), "", ""
    try:
        with context.wrap_socket(dial.socket, server_hostname=task.host, do_handshake_on_connect=False) as secret:
            patiently(secret.do_handshake)
            version, chosen = secret.version() or "", secret.selected_alpn_protocol() or ""
            wire = request.wire(is_last=True)
            secret.sendall(wire)
            dial.sent += len(wire)
            while data := patiently(partial(secret.recv, _READ_BYTES)):
                dial.received += len(data)
            with suppress(OSError):
                secret.unwrap()
    finally:
        facts.append(TlsHello(dial.ends, task.host, task.alpn, chosen, version, started))
