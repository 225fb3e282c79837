"""Our own webhook: the alert as JSON, signed, so that the receiver knows who sent it and that it is no replay.

``X-Conntrail-Signature: sha256=<hex>`` is the HMAC-SHA-256, keyed with the secret, of the text of
``X-Conntrail-Timestamp`` (Unix time, s), a dot, and the body as it was sent.
"""

import hmac
from hashlib import sha256
from typing import Final

from streams.delivery.item import Item
from streams.delivery.receiver import Receiver
from streams.delivery.render.request import Request, identity, json_request
from streams.notice.document import alert_document

_NS_PER_SECOND: Final = 1_000_000_000


def render_webhook(receiver: Receiver, item: Item, now_ns: int) -> Request:
    """Signed when there is a secret. ``Idempotency-Key`` is the same whenever it is sent again."""
    document = {"version": 1, "action": item.action, "alert": alert_document(item.alert)}
    plain = json_request(receiver.url, document, {"Idempotency-Key": identity(item.alert)})
    if not receiver.secret:
        return plain
    timestamp = str(now_ns // _NS_PER_SECOND)
    signed = {"X-Conntrail-Timestamp": timestamp, "X-Conntrail-Signature": _signature(receiver, timestamp, plain.body)}
    return Request(plain.url, {**plain.headers, **signed}, plain.body)


def _signature(receiver: Receiver, timestamp: str, body: bytes) -> str:
    digest = hmac.new(receiver.secret.encode(), timestamp.encode() + b"." + body, sha256)
    return f"sha256={digest.hexdigest()}"
