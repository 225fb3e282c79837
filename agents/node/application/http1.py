"""Reads the heads of HTTP/1 messages (RFC 9112) at the beginning of a packet, with httptools, as far as they are there.

Every packet gets a parser of its own: what follows the first segment of a head or a body was never shown to us.
"""

from typing import Final

import httptools

from agents.node.application.head import (
    METHOD_LENGTH,
    PATH_LENGTH,
    RequestHead,
    ResponseHead,
    clean_text,
    split_target,
    wanted_length,
)

_PAYLOAD_BYTES: Final = 16_384
"""Of a packet that is larger, the rest is not read."""
_MESSAGES: Final = 128
"""Of pipelined messages in one packet, the rest is not read."""
_LARGEST_BODY: Final = 1 << 30
"""A longer body leaves the half of the sequence numbers in which before and after can be told."""
_LINE_END: Final = b"\r\n"
_HEAD_END: Final = b"\r\n\r\n"
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_UNKNOWN: Final = -1


def parse_requests(payload: bytes) -> list[RequestHead]:
    """Heads of the requests that begin in this packet; none when it does not begin with a request line."""
    collector = _Requests(payload[:_PAYLOAD_BYTES])
    collector.read()
    return collector.heads


def parse_responses(payload: bytes) -> list[ResponseHead]:
    """Heads of the responses that begin in this packet; none when it does not begin with a status line."""
    collector = _Responses(payload[:_PAYLOAD_BYTES])
    collector.read()
    return collector.heads


class _Requests:
    """Takes the parser's callbacks."""

    def __init__(self, payload: bytes) -> None:
        self.heads: list[RequestHead] = []
        self._payload = payload
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[bytes, str] = {}
        self._body_bytes = 0
        self._is_open = False

    def read(self) -> None:
        try:
            self._parser.feed_data(_closed(self._payload))
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            if self._parser.get_http_version() not in _VERSIONS:
                return
        if self._is_open and self._url:
            self._close()

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body_bytes, self._is_open = b"", {}, 0, True

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        length = wanted_length(lowered)
        if length:
            self._headers.setdefault(lowered, clean_text(value, length))
        else:
            self._body_bytes = _body_bytes(self._body_bytes, lowered, value)

    def on_headers_complete(self) -> None:
        self._close()

    def _close(self) -> None:
        self._is_open = False
        if len(self.heads) >= _MESSAGES:
            return
        method = clean_text(self._parser.get_method(), METHOD_LENGTH)
        authority, path = split_target(clean_text(self._url, PATH_LENGTH), method == "CONNECT")
        version, headers = self._parser.get_http_version(), self._headers
        self.heads.append(
            RequestHead(
                method=method,
                host=authority or headers.get(b"host", ""),
                path=path,
                version=version if version in _VERSIONS else "",
                user_agent=headers.get(b"user-agent", ""),
                request_id=headers.get(b"x-request-id", ""),
                trace_parent=headers.get(b"traceparent", ""),
                content_type=headers.get(b"content-type", ""),
                is_path_cut=len(self._url) > PATH_LENGTH or self._payload.endswith(self._url),
                message_bytes=_message_bytes(_head_bytes(self._payload), self._body_bytes),
            )
        )


class _Responses:
    """Takes the parser's callbacks."""

    def __init__(self, payload: bytes) -> None:
        self.heads: list[ResponseHead] = []
        self._payload = payload
        self._parser = httptools.HttpResponseParser(self)
        self._body_bytes = _UNKNOWN
        self._is_open = False

    def read(self) -> None:
        try:
            self._parser.feed_data(_closed(self._payload))
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            if not self._is_told():
                return
        if self._is_open and self._is_told():
            self._close()

    def on_message_begin(self) -> None:
        self._body_bytes, self._is_open = _UNKNOWN, True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._body_bytes = _body_bytes(self._body_bytes, name.lower(), value)

    def on_headers_complete(self) -> None:
        self._close()

    def _is_told(self) -> bool:
        """All three digits of the status are there: the cut may have taken the last."""
        return self._parser.get_http_version() in _VERSIONS and self._parser.get_status_code() >= 100  # noqa: PLR2004 - the least status

    def _close(self) -> None:
        self._is_open = False
        if len(self.heads) >= _MESSAGES:
            return
        head_bytes = _head_bytes(self._payload)
        version = self._parser.get_http_version()
        message_bytes = _message_bytes(head_bytes, self._body_bytes)
        self.heads.append(ResponseHead(self._parser.get_status_code(), version, head_bytes, message_bytes))


def _closed(payload: bytes) -> bytes:
    """The payload, or of a cut head its whole lines, ended: the parser holds a line back until another one comes."""
    if _HEAD_END in payload:
        return payload
    end = payload.rfind(_LINE_END)
    return payload[:end] + _HEAD_END if end >= 0 else payload


def _head_bytes(payload: bytes) -> int:
    """Of the first message: the others in a packet follow its body, which ends who knows where."""
    end = payload.find(_HEAD_END)
    return end + len(_HEAD_END) if end >= 0 else _UNKNOWN


def _body_bytes(known: int, name: bytes, value: bytes) -> int:
    """What is known of the body's length after this header (RFC 9112, 6.3)."""
    if name == b"content-length" and value.isdigit():
        length = int(value[:12])
        return length if length < _LARGEST_BODY else _UNKNOWN
    return _UNKNOWN if name == b"transfer-encoding" else known


def _message_bytes(head_bytes: int, body_bytes: int) -> int:
    return _UNKNOWN if _UNKNOWN in {head_bytes, body_bytes} else head_bytes + body_bytes
